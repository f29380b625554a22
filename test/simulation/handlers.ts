import type { busPublisher } from '../../adapters/aws/bus.ts'
import { analyzePush } from '../../core/domain/analyze-push.ts'
import { tellRun } from '../../core/domain/answer-approval.ts'
import { buildRecord, track as trackBuild } from '../../core/domain/build.ts'
import { observe } from '../../core/domain/build-observation.ts'
import { notificationOf } from '../../core/domain/notification.ts'
import { publishedEvent } from '../../core/domain/published-event.ts'
import { historyRecord, track as trackRepository } from '../../core/domain/repository-history.ts'
import { runRecord, track as trackRun } from '../../core/domain/run.ts'
import { startRun } from '../../core/domain/start-run.ts'
import { Failure, reasonForLogs } from '../../core/errors.ts'
import type { HandledAny, HandlerAny } from '../../core/event/handler.ts'
import { uuid5 } from '../../core/identity.ts'
import type { DeliveryKey, Memory, RecordKey, Workflows } from '../../core/ports.ts'
import { likeness } from '../../core/reasons.ts'
import { buildStatusChanged } from '../../events/build.status-changed.ts'
import { qualityGateEvaluated } from '../../events/quality-gate.evaluated.ts'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { rollbackDecided } from '../../events/rollback.decided.ts'
import type { Route } from '../../events/route.ts'
import type { Calls, Process } from './calls.ts'
import type { Behaviour } from './cast.ts'
import { holdAgainst, type InHand } from './handled.ts'
import { isNobodysFault } from './mended.ts'
import { deliveryText, type Observed, textOfEvent } from './observed.ts'
import { comesToTooMuch, failingOf, reasonsOf, written } from './oversize.ts'

/** What handlers act on: something outside that may be down, and that others see. */
export type Downstream = {
  act(subscriber: string, idempotencyKey: string, delivery: string): Promise<void>
}

export type EventsBus = { put: ReturnType<typeof busPublisher> }

export type HandlerPorts = {
  downstream: Downstream
  eventsBus: EventsBus
  workflows: Workflows
  /** takes so many milliseconds */
  pause: (milliseconds: number) => Promise<void>
  /** without deliveries, for what starts workflows */
  plainMemory: Memory
}

/** The handler of a subscriber in one environment: what the product's own would do, or one of ours. */
export function handlerOf(
  route: Route,
  {
    process,
    calls,
    ports,
    observed,
    now,
    inHand,
    behaviourOf,
  }: {
    process: Process
    calls: Calls
    ports: HandlerPorts
    observed: Observed
    now: () => number
    inHand: () => ReadonlyMap<string, InHand>
    behaviourOf: (subscriber: string, event: HandledAny['event']) => Behaviour | undefined
  },
): HandlerAny {
  const { subscriber } = route
  const body = bodyOf(route, ports)

  return async (handled, memory) => {
    // what it has in hand beside what has killed it is not handled any more
    if (!process.alive) return new Promise(() => undefined)
    const { event, replay } = handled
    const key: DeliveryKey = {
      project: event.project,
      source: event.source,
      id: event.id,
      subscriber,
      replay,
    }
    const delivery = deliveryText(key)
    const held = inHand().get(delivery)
    const runs = observed.runs.get(delivery) ?? []
    observed.runs.set(delivery, runs)
    runs.push({
      message: held?.messages.join('+') ?? '?',
      since: held?.since ?? now(),
      idempotencyKey: handled.idempotencyKey,
    })
    observed.step(
      event.id,
      () => `${delivery}: run ${runs.length} (message ${held?.messages.join('+')}/${held?.receives})`,
    )
    holdAgainst(route, handled, key, held, observed)
    try {
      await misbehave(behaviourOf(subscriber, event), runs.length, held?.messages ?? [])
      if (route.effect === 'outside' && subscriber !== 'publish') await actOn(handled, key)
      if (replay === '' && comesToTooMuch(subscriber, handled.data)) hopeless(held?.messages ?? [])
      return await body(handled, memory)
    } catch (error) {
      noteFailure(handled, error)
      throw error
    }
  }

  /** A replay of an event is one more: what its handling came to is counted beside that of the live one. */
  function noteFailure({ event, replay }: HandledAny, error: unknown): void {
    if (isNobodysFault(error)) return
    const about = `${event.project} ${subscriber}`
    const failures = observed.failures.get(about) ?? []
    observed.failures.set(about, failures)
    const downstream = route.downstream?.(event) ?? ''
    failures.push({ event: `${textOfEvent(event)} ${replay}`, downstream, why: kindOf(error), at: now() })
  }

  async function actOn({ event, idempotencyKey }: HandledAny, key: DeliveryKey): Promise<void> {
    const name = `${subscriber} ${route.downstream?.(event) ?? ''}`.trim()
    try {
      await ports.downstream.act(name, idempotencyKey, deliveryText(key))
      observed.acted(key, name, true)
    } catch (error) {
      observed.acted(key, name, false)
      throw error
    }
  }

  async function misbehave(
    behaviour: Behaviour | undefined,
    run: number,
    messages: readonly string[],
  ): Promise<void> {
    switch (behaviour) {
      case 'terminal':
        hopeless(messages)
        throw new Failure('Invalid', 'it does not like this one')
      case 'hopeless':
        throw new Error('never works')
      case 'flaky':
        if (run <= 2) throw new Error('not yet')
        return
      case 'crashes':
        return die()
      case 'stumbles':
        return run === 1 ? die() : undefined
      case 'slow':
        return ports.pause(3000 * run)
      case undefined:
        return
      default:
        return behaviour satisfies never
    }
  }

  /** What comes of these cannot be kept or sent, however often it is tried. */
  function hopeless(messages: readonly string[]): void {
    for (const message of messages)
      observed.hopeless.set(message, { at: now(), faults: observed.faults.count })
  }

  function die(): Promise<void> {
    observed.sometimes('a handler takes its process along')
    calls.kill(process, 'is killed by what it handles')
    return new Promise(() => undefined)
  }
}

/** Failures are counted in sixteen kinds, and what falls into one of them is alike (core/hold/subscriber-controls.ts). */
const kindOf = (error: unknown): string =>
  (Number.parseInt(uuid5(likeness(reasonForLogs(error))).slice(0, 4), 16) % 16).toString()

const recordOf = (project: string, kind: string, name: string): RecordKey => ({ project, kind, name })

type Entries = { entries: readonly string[] }

/** One more entry in a list that a subscriber keeps by partition key. */
async function entered(kind: string, { event, data }: HandledAny, memory: Pick<Memory, 'get'> | undefined) {
  if (memory === undefined) throw new Error(`${kind} has no memory`)
  const key = recordOf(event.project, kind, event.partitionkey)
  const record = await memory.get(key)
  const { entries } = (record?.value ?? { entries: [] }) as Entries
  const version = (record?.version ?? 0) + 1
  const value = written(data, { entries: [...entries, `${event.source} ${event.id}`] })
  return { ...key, version, value }
}

function bodyOf(route: Route, ports: HandlerPorts): HandlerAny {
  const { subscriber } = route
  switch (subscriber) {
    case 'analyze-push':
      return async ({ data }) => [{ type: repositoryAnalyzed, data: analyzePush(data as never) }]
    case 'track-build':
      return async (handled, memory) => {
        const observation = observe(handled as never)
        if (observation === undefined) return undefined
        const { repository, branch } = observation
        const { project } = handled.event
        return trackBuild(project, observation, await memory?.get(buildRecord(project, repository, branch)))
      }
    case 'track-run':
      return async (handled, memory) => {
        const { workflow, run } = handled.data as { workflow: string; run: string }
        const { project } = handled.event
        const write = trackRun(
          project,
          handled as never,
          await memory?.get(runRecord(project, workflow, run)),
        )
        return write && { writes: [write], emits: [], sequence: write.version }
      }
    case 'track-repository':
      return async ({ event, data }, memory) => {
        const { repository } = data as { repository: string }
        const record = await memory?.get(historyRecord(event.project, repository))
        return trackRepository(event, data as never, record)
      }
    case 'resume-workflow':
      return async ({ event: { project }, data }) => {
        const { approval } = data as { approval: string }
        await tellRun({ project, approval }, { memory: ports.plainMemory, workflows: ports.workflows })
        return []
      }
    case 'notify':
      return async (handled) => {
        notificationOf(handled as never, 'test')
        return []
      }
    case 'publish':
      return async ({ event, data, traceparent }) => {
        const { source, type, time } = event
        const detail = publishedEvent(event, data, traceparent)
        const [failure] = await ports.eventsBus.put([{ source, detailType: type, detail, time }])
        if (failure !== undefined) throw failure.error
        return []
      }
    case 'mirror':
      return async ({ event }) => [
        {
          type: repositoryAnalyzed,
          data: { ...repositoryAnalyzed.example, repository: 'octo/mirror', commit: event.id },
        },
      ]
    case 'chain':
      return async ({ event }) => [
        {
          type: qualityGateEvaluated,
          data: { ...qualityGateEvaluated.example, repository: 'octo/chain', commit: event.id },
        },
      ]
    case 'shop':
      return async ({ data }) =>
        (data as { loops?: boolean }).loops === true
          ? [{ type: rollbackDecided, data: { ...rollbackDecided.example, reasons: ['loops'] } }]
          : reasonsOf(data).map((reasons) => ({
              type: rollbackDecided,
              data: { ...rollbackDecided.example, reasons },
            }))
    case 'looper':
      return async ({ data }) =>
        (data as { reasons: string[] }).reasons.includes('loops')
          ? [{ type: rollbackDecided, data: { ...rollbackDecided.example, reasons: ['loops'] } }]
          : []
    case 'ledger':
      return async (handled, memory) => {
        const write = await entered('ledger', handled, memory)
        const { partitionkey, id } = handled.event
        const told = { repository: 'octo/ledger', branch: partitionkey, commit: id, from: null }
        const failing = failingOf(handled.data)
        return {
          writes: [write],
          emits: [{ type: buildStatusChanged, data: { ...told, failing, to: 'passing' } }],
          sequence: write.version,
        }
      }
    default:
      if (route.effect === 'state')
        return async (handled, memory) => {
          const write = await entered(subscriber, handled, memory)
          return { writes: [write], emits: [], sequence: write.version }
        }
      if (route.kind === 'workflow')
        return (handled) =>
          startRun(subscriber, handled, { memory: ports.plainMemory, workflows: ports.workflows })
      return async () => []
  }
}
