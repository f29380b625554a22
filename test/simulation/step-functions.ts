import type { InMemoryWorkflows } from '../../adapters/in-memory/workflows.ts'
import { isTerminal } from '../../core/errors.ts'
import { type Frame, workflowInput } from '../../core/frame.ts'
import type { Workflows } from '../../core/ports.ts'
import { qualityGateEvaluated } from '../../events/quality-gate.evaluated.ts'
import { approvalSteps } from './approvals.ts'
import type { Chance } from './chance.ts'
import type { Lambda, SimulatedFunction } from './lambda.ts'
import { deliveryText, type Observed } from './observed.ts'
import type { OtherFault } from './options.ts'
import type { Scheduler } from './scheduler.ts'

/** Runs that go their way: they emit, end, and AWS tells of them as best it can. */
export function stepFunctions({
  time,
  chance,
  observed,
  workflows,
  put,
  rate,
  batchOf,
  invoke,
  asks,
}: {
  time: Scheduler
  chance: Chance
  observed: Observed
  workflows: InMemoryWorkflows
  /** onto the record queue */
  put: (body: string) => void
  rate: (fault: OtherFault) => number
  /** what a job's workflow calls again and again; undefined: it is no job's */
  batchOf: (workflow: string) => SimulatedFunction | undefined
  invoke: Lambda['invoke']
  /** whether a run that begins now is to wait for a person, and the function that has one asked */
  asks: { ask: () => SimulatedFunction; isWanted: () => boolean }
}) {
  const running = new Set<string>()
  const approvals = approvalSteps({ time, chance, observed, invoke, ask: asks.ask })

  function tell(workflow: string, name: string, status: string, started: number, input: unknown): void {
    if (chance.is(rate('untold'))) {
      observed.sometimes('nobody tells of a run')
      return
    }
    const frame = {
      door: 'states',
      event: {
        source: 'aws.states',
        detail: {
          executionArn: `in-memory:${workflow}:${name}`,
          stateMachineArn: `arn:aws:states:us-east-1:111122223333:stateMachine:loadpath-test-${workflow}`,
          name,
          status,
          startDate: started,
          stopDate: status === 'RUNNING' ? null : time.now(),
          input: JSON.stringify(input),
          output: null,
          error: null,
          cause: null,
        },
      },
    } satisfies Frame
    bring(frame)
    if (chance.is(rate('redelivered'))) bring(frame)
  }

  const bring = (frame: object): void =>
    time.after(chance.between(50, 5000), 'states rule', () => put(JSON.stringify(frame)))

  function begin(workflow: string, name: string, given: unknown): void {
    const input = workflowInput.parse(given)
    const started = time.now()
    const { project, source, id } = input.event
    const startedBy = deliveryText({ project, source, id, subscriber: workflow, replay: input.replay })
    running.add(`${workflow} ${name}`)
    tell(workflow, name, 'RUNNING', started, input)
    const end = (status: 'SUCCEEDED' | 'FAILED'): void => {
      workflows.end(
        workflow,
        name,
        status === 'SUCCEEDED' ? { output: null } : { error: 'Broken', cause: 'it broke' },
      )
      observed.ended.push({ project, workflow, name, status, startedBy })
      tell(workflow, name, status, started, input)
      running.delete(`${workflow} ${name}`)
    }
    const batch = batchOf(workflow)
    if (batch !== undefined) {
      loop(workflow, batch, input, end)
      return
    }
    if (chance.is(0.5))
      time.after(chance.between(500, 20_000), `${workflow} emits`, () => emit(workflow, input))
    const goOn = (): void =>
      time.after(chance.between(21_000, 240_000), `${workflow} ends`, () =>
        end(chance.is(0.8) ? 'SUCCEEDED' : 'FAILED'),
      )
    if (asks.isWanted())
      time.after(chance.between(500, 20_000), `${workflow} asks`, () =>
        approvals.wait(input, goOn, () => end('FAILED')),
      )
    else goOn()
  }

  /** statemachines/redrive.asl.json and replay.asl.json: a batch, a wait, a batch. What fails is tried eight times more. */
  function loop(
    workflow: string,
    batch: SimulatedFunction,
    { event, attempt }: ReturnType<typeof workflowInput.parse>,
    ended: (status: 'SUCCEEDED' | 'FAILED') => void,
    tries = 0,
  ): void {
    invoke(batch, { event, attempt }, (end) => {
      if ('value' in end) {
        const { state, wait } = end.value as { state: 'more' | 'ended'; wait: number }
        if (state === 'ended') return ended('SUCCEEDED')
        return time.after(wait * 1000, `${workflow} waits`, () =>
          loop(workflow, batch, { event, attempt } as never, ended),
        )
      }
      if (tries >= 8 || ('error' in end && isTerminal(end.error))) {
        observed.sometimes('the run of a job is given up')
        return ended('FAILED')
      }
      const seconds = Math.min(60, 2 * 2 ** tries) * chance.random()
      time.after(seconds * 1000, `${workflow} tries again`, () =>
        loop(workflow, batch, { event, attempt } as never, ended, tries + 1),
      )
    })
  }

  function emit(workflow: string, { event, replay, attempt }: ReturnType<typeof workflowInput.parse>): void {
    const { source, id, correlationid, hops, traceparent } = event
    const frame = {
      door: 'emit',
      project: event.project,
      by: workflow,
      again: attempt > 1 ? `attempt:${attempt}` : '',
      replay,
      cause: { source, id, correlationid, hops, traceparent },
      event: {
        type: qualityGateEvaluated.type,
        data: { ...qualityGateEvaluated.example, commit: id },
        step: 'Gates',
      },
    } satisfies Frame
    put(JSON.stringify(frame))
    // its own retry of a task whose answer got lost
    if (chance.is(rate('redelivered'))) put(JSON.stringify(frame))
  }

  return {
    port: {
      ...workflows,
      succeedTask: approvals.succeedTask,
      async start(workflow, name, input) {
        const verdict = await workflows.start(workflow, name, input)
        if (verdict === 'started') begin(workflow, name, input)
        else observed.sometimes('a run is started a second time')
        return verdict
      },
    } satisfies Workflows,
    running: () => [...running],
    isRunning: (workflow: string, name: string) => running.has(`${workflow} ${name}`),
  }
}
