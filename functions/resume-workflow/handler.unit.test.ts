import { beforeAll, expect, it, vi } from 'vitest'
import { type Answer, answer, approvalRecord } from '../../core/domain/approval.ts'
import { askForApproval } from '../../core/domain/ask-for-approval.ts'
import { queued, told } from '../../test/arrivals.ts'
import { context, here, lines, received, setEnvironment } from '../../test/lambdas.ts'

vi.mock('../../adapters/lambda/ports.ts', async () => (await import('../../test/lambdas.ts')).ports)

let handler: typeof import('./handler.ts').handler
beforeAll(async () => {
  setEnvironment()
  handler = (await import('./handler.ts')).handler
})

const asks = (token: string, run: string) =>
  askForApproval(
    {
      token,
      step: 'WaitForApproval',
      approval: { question: 'Deploy?', expiresInMinutes: 60 },
      input: {
        workflow: 'test-and-validate',
        run,
        attempt: 1,
        replay: '',
        event: {
          project: 'main',
          source: 's',
          id: run,
          type: 'github.push',
          partitionkey: 'k',
          correlationid: run,
          hops: 0,
        },
      },
    },
    here.deps,
  )

type Answering = { decision: Answer['decision']; by: string; now: string; comment: string }

/** What somebody decided, written down. */
async function decide(approval: string, given: Partial<Answering> = {}) {
  const found = await here.stores.memory.get(approvalRecord('main', approval))
  const command = { decision: 'approved', by: 'user:k1', now: here.clock(), ...given } as const
  await here.stores.memory.commit({ writes: answer('main', command, found).writes, outbox: [] })
}

/** That it was decided, as it is told. */
async function decided(approval: string, more: object = {}) {
  const data = { approval, decision: 'approved', by: 'user:k1', ...more }
  const partitionkey = `approval/${approval}`
  await here.one(queued(told({ type: 'approval.decided', data }, { partitionkey })))
  const event = received('resume-workflow', here.stores.queues.take('resume-workflow'))
  return lines(() => handler(event, context))
}

it.each([{}, { comment: 'seen on staging' }])('answers the task that waits, with %j', async (more) => {
  const run = JSON.stringify(more)
  const approval = await asks(`token ${run}`, run)
  const answers: unknown[] = []
  here.stores.workflows.ask(`token ${run}`, (given) => answers.push(given))
  await decide(approval, more)
  const { answer: told, lines: said } = await decided(approval, more)
  expect(answers).toEqual([{ output: { decision: 'approved', by: 'user:k1', ...more } }])
  expect(told).toEqual({ batchItemFailures: [] })
  expect(said).toMatchObject([{ Handled: 1 }])
})

const past = '2100-01-01T00:00:00.000Z'
it.each<[Partial<Answering>, object]>([
  [{ decision: 'denied' }, { decision: 'denied', by: 'user:k1' }],
  [
    { decision: 'expired', now: past },
    { decision: 'expired', by: 'system' },
  ],
])('a run is told that it may not go on, by %j', async (decision, output) => {
  const token = `token of ${decision.decision}`
  const approval = await asks(token, `run of ${decision.decision}`)
  const answers: unknown[] = []
  here.stores.workflows.ask(token, (given) => answers.push(given))
  await decide(approval, decision)
  await decided(approval)
  expect(answers).toEqual([{ output }])
})

it('is done with a run that is over and waits no more', async () => {
  const approval = await asks('gone', 'over')
  await decide(approval)
  expect((await decided(approval)).lines).toMatchObject([{ Handled: 1, Dead: 0 }])
})

it.each([true, false])('answers by what was decided (%s), whatever the event says', async (isDecided) => {
  const token = `token of ${isDecided}`
  const approval = await asks(token, `run of ${isDecided}`)
  const answers: unknown[] = []
  here.stores.workflows.ask(token, (given) => answers.push(given))
  if (isDecided) await decide(approval)
  const { lines: said } = await decided(approval, { by: 'user:nobody', decision: 'denied' })
  expect(said).toMatchObject([{ Dead: isDecided ? 0 : 1 }])
  expect(answers).toEqual(isDecided ? [{ output: { decision: 'approved', by: 'user:k1' } }] : [])
})

it('of an approval that there is not is dead at once', async () => {
  const { answer: told, lines: said } = await decided('nobody-asked')
  expect(told).toEqual({ batchItemFailures: [] })
  expect(said).toMatchObject([{ Dead: 1, failures: [{ reason: 'there is no approval nobody-asked' }] }])
  expect(here.deliveries().at(-1)).toMatchObject({
    subscriber: 'resume-workflow',
    state: 'dead',
    attempts: 1,
  })
})
