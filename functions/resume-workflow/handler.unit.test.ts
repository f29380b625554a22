import { beforeAll, expect, it, vi } from 'vitest'
import { askForApproval } from '../../core/ask-for-approval.ts'
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
  here.stores.workflows.ask(`token ${run}`, (answer) => answers.push(answer))
  const { answer, lines: said } = await decided(approval, more)
  expect(answers).toEqual([{ output: { decision: 'approved', by: 'user:k1', ...more } }])
  expect(answer).toEqual({ batchItemFailures: [] })
  expect(said).toMatchObject([{ Handled: 1 }])
})

it('is done with a run that is over and waits no more', async () => {
  expect((await decided(await asks('gone', 'over'))).lines).toMatchObject([{ Handled: 1, Dead: 0 }])
})

it('of an approval that there is not is dead at once', async () => {
  const { answer, lines: said } = await decided('nobody-asked')
  expect(answer).toEqual({ batchItemFailures: [] })
  expect(said).toMatchObject([{ Dead: 1, failures: [{ reason: 'there is no approval nobody-asked' }] }])
  expect(here.deliveries().at(-1)).toMatchObject({
    subscriber: 'resume-workflow',
    state: 'dead',
    attempts: 1,
  })
})
