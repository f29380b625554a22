import type { DynamoDBStreamEvent } from 'aws-lambda'
import { afterEach, beforeAll, expect, it, vi } from 'vitest'
import { told } from '../../test/arrivals.ts'
import { context, here, lines, setEnvironment } from '../../test/lambdas.ts'

vi.mock('../../adapters/lambda/ports.ts', async () => (await import('../../test/lambdas.ts')).ports)

let handler: typeof import('./handler.ts').handler
beforeAll(async () => {
  setEnvironment()
  handler = (await import('./handler.ts')).handler
})
afterEach(() => here.mend())

/** The stream tells of items of these keys. */
const woken = (...keys: (string | undefined)[]) => {
  const event = {
    Records: keys.map((pk) => ({ dynamodb: pk === undefined ? {} : { Keys: { pk: { S: pk } } } })),
  } as DynamoDBStreamEvent
  return lines(() => handler(event, context))
}
const waits = (partitionkey: string) =>
  here.stores.memory.commit({
    writes: [],
    outbox: [
      {
        project: 'main',
        partitionkey,
        sequence: 1,
        index: 0,
        frame: told({}, { partitionkey, sequence: 1 }),
      },
    ],
  })
const left = () => here.stores.memory.all().outbox.map(({ partitionkey }) => partitionkey)

it('sends what waits in the outbox, and looks at no other item', async () => {
  await waits('a')
  const { answer, lines } = await woken(
    'main#repository#octo/hello',
    undefined,
    'outbox#main#a',
    'outbox#main#a',
  )
  expect(answer).toEqual({ batchItemFailures: [] })
  expect(here.calls.filter((call) => call === 'memory.outbox')).toHaveLength(1)
  expect(here.events().map(({ event }) => event.partitionkey)).toEqual(['a'])
  expect(left()).toEqual([])
  expect(lines).toMatchObject([{ level: 'INFO', Recorded: 1, stayed: 0 }])
})

it('leaves what cannot be sent to the sweep, and never holds up the stream', async () => {
  await waits('b')
  here.failing('history', 'insertEvents')
  const { answer, lines } = await woken('outbox#main#b')
  expect(answer).toEqual({ batchItemFailures: [] })
  expect(left()).toEqual(['b'])
  expect(lines).toMatchObject([{ level: 'WARN', Unavailable: 1, stayed: 1 }])
})
