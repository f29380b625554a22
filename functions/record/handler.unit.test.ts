import { afterEach, beforeAll, expect, it, vi } from 'vitest'
import { envelope, push, tests } from '../../test/arrivals.ts'
import { asked, context, here, lines, received, setEnvironment } from '../../test/lambdas.ts'

vi.mock('../../adapters/lambda/ports.ts', async () => (await import('../../test/lambdas.ts')).ports)

let handler: typeof import('./handler.ts').handler
beforeAll(async () => {
  setEnvironment({ ACCOUNT_PROJECTS: '{"111122223333":"shop"}' })
  handler = (await import('./handler.ts')).handler
})
afterEach(() => {
  here.mend()
  asked.length = 0
})

const recorded = (...details: unknown[]) =>
  lines(() =>
    handler(
      received(
        'record',
        details.map((one) => JSON.stringify(envelope(one))),
      ),
      context,
    ),
  )

it('records what lies on its queue, under the project of the account it came from', async () => {
  const { answer, lines } = await recorded(push('a'), { plain: true })
  expect(answer).toEqual({ batchItemFailures: [] })
  expect(here.events().map(({ event }) => [event.project, event.id])).toEqual([
    ['shop', 'a'],
    ['shop', 'eb-1'],
  ])
  expect(lines).toMatchObject([{ level: 'INFO', Recorded: 2 }])
})

it('hands back what could not be recorded, or not sent, and takes the rest', async () => {
  here.instead(
    'queues',
    'send',
    (real) => async (queue, bodies) =>
      String(bodies[0]).includes('"id":"unsent"')
        ? [{ index: 0, error: new Error('full') }]
        : real(queue, bodies),
  )
  here.instead('history', 'insertEvents', (real) => async (events) => {
    const at = events.findIndex(({ event }) => event.id === 'failed')
    const verdicts = await real(events.toSpliced(at, 1))
    return verdicts.toSpliced(at, 0, { verdict: 'failed', error: new Error('throttled') })
  })
  const { answer, lines } = await recorded(push('failed'), tests('fine'), push('unsent'))
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }, { itemIdentifier: 'm2' }] })
  expect(asked).toEqual([])
  expect(lines).toMatchObject([{ level: 'WARN', Recorded: 2, Unavailable: 1 }])
})

it('hides what newer code wrote for fifteen minutes, and hands it back', async () => {
  const newer = tests('newer', { dataschema: 'https://x/test.completed/9' })
  const { answer } = await recorded(tests('known'), newer)
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }] })
  expect(asked).toEqual([
    {
      operation: 'ChangeMessageVisibility',
      input: {
        QueueUrl: 'https://sqs/loadpath-test-record',
        ReceiptHandle: 'handle-1',
        VisibilityTimeout: 900,
      },
    },
  ])
})

it('quarantines what does not fit, and shows nothing of it', async () => {
  const { answer, text, lines } = await recorded(push('bad', { data: { ref: 'hunter2' } }))
  expect(answer).toEqual({ batchItemFailures: [] })
  expect(lines).toMatchObject([{ level: 'WARN', Quarantined: 1, troubles: [{ status: 'quarantined' }] }])
  expect(text).not.toContain('hunter2')
  expect(JSON.stringify(here.quarantined())).toContain('hunter2')
})
