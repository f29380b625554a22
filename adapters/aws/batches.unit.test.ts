import { expect, test } from 'vitest'
import { batches } from './batches.ts'
import { busPublisher } from './bus.ts'
import type { Aws } from './clients.ts'
import { sqsQueues } from './queues.ts'
import { secretReader } from './secrets.ts'

const sizes = (items: readonly number[]) =>
  batches(items, (size) => size).map((batch) => batch.map(({ item }) => item))

test('ten items and 256 KiB go into one call, in order, and what is too large goes alone', () => {
  expect(sizes([])).toEqual([])
  expect(sizes(Array(21).fill(1)).map((batch) => batch.length)).toEqual([10, 10, 1])
  expect(sizes([262_144, 1])).toEqual([[262_144], [1]])
  expect(sizes([100_000, 100_000, 62_144, 1])).toEqual([[100_000, 100_000, 62_144], [1]])
  expect(sizes([1, 900_000, 1, 1])).toEqual([[1], [900_000], [1, 1]])
  expect(batches(['a', 'b'], () => 200_000).flat()).toEqual([
    { index: 0, item: 'a' },
    { index: 1, item: 'b' },
  ])
})

const unused = async () => expect.fail('not used')
const answering = (call: Aws['call']): Aws => ({ region: 'us-east-1', form: unused, object: unused, call })

test('what SQS could not send is named by its index, over all calls', async () => {
  const aws = answering(async (_, __, input) => {
    const { Entries } = input as { Entries: { Id: string }[] }
    if (Entries.length < 10) throw new Error('down')
    return { Failed: [{ Id: '7', Code: 'InternalError', SenderFault: false }] }
  })
  const failures = await sqsQueues({ aws, prefix: 'q-', ordered: () => false }).send(
    'record',
    Array(12).fill('x'),
  )
  expect(failures.map(({ index }) => index)).toEqual([7, 10, 11])
  expect(failures.map(({ error }) => String(error))).toEqual([
    'Error: InternalError: not sent',
    'Error: down',
    'Error: down',
  ])
})

test('of a group nothing is sent after what failed, and of two groups one does not wait for the other', async () => {
  const calls: string[][] = []
  const aws = answering(async (_, __, input) => {
    const { QueueUrl, Entries } = input as {
      QueueUrl: string
      Entries: { Id: string; MessageBody: string; MessageGroupId: string; MessageDeduplicationId: string }[]
    }
    expect(QueueUrl).toBe('q-track.fifo')
    for (const { MessageBody, MessageGroupId, MessageDeduplicationId } of Entries)
      expect([MessageGroupId, MessageDeduplicationId]).toEqual([MessageBody.slice(0, 1), `d-${MessageBody}`])
    calls.push(Entries.map(({ MessageBody }) => MessageBody))
    if (Entries.some(({ MessageBody }) => MessageBody === 'c2')) throw new Error('down')
    const failed = Entries.filter(({ MessageBody }) => MessageBody === 'a2')
    return { Failed: failed.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false })) }
  })
  const queues = sqsQueues({ aws, prefix: 'q-', ordered: (queue) => queue === 'track' })
  const messages = (...bodies: string[]) =>
    bodies.map((body) => ({ body, group: body.slice(0, 1), dedupe: `d-${body}` }))
  const failures = await queues.send('track', messages('a1', 'a2', 'b1', 'a3', 'b2', 'a4', 'b3'))
  expect(calls).toEqual([['a1', 'b1'], ['a2', 'b2'], ['b3']])
  expect(failures.map(({ index, error }) => [index, String(error)])).toEqual([
    [1, 'Error: InternalError: not sent'],
    [3, 'Error: not sent: an earlier message of group a could not be sent'],
    [5, 'Error: not sent: an earlier message of group a could not be sent'],
  ])
  // a call without an answer failed for all that were in it
  expect((await queues.send('track', messages('c1', 'c2', 'c3'))).map(({ index }) => index)).toEqual([1, 2])
})

test('what EventBridge could not put is named by its index, and a short answer is no success', async () => {
  const aws = answering(async (_, __, input) => {
    const { Entries } = input as { Entries: unknown[] }
    if (Entries.length === 10)
      return {
        Entries: [
          {},
          { ErrorCode: 'ThrottlingException', ErrorMessage: 'slow' },
          ...Array(8).fill({ EventId: 'e' }),
        ],
      }
    return { Entries: [] }
  })
  const entry = { source: 's', detailType: 't', detail: {} }
  const failures = await busPublisher({ aws, bus: 'b' })(Array(11).fill(entry))
  expect(failures.map(({ index, error }) => [index, String(error)])).toEqual([
    [1, 'Error: ThrottlingException: slow'],
    [10, 'Error: no answer: not put'],
  ])
})

test('callers at the same time share one read of a secret, and a failure is not kept', async () => {
  let reads = 0
  const aws = answering(async () => {
    reads++
    if (reads === 1) throw new Error('down')
    return { SecretString: `s${reads}` }
  })
  const secret = secretReader({ aws, arn: 'a', clock: () => '2026-01-01T00:00:00.000Z' })
  await expect(Promise.all([secret.get(), secret.get()])).rejects.toThrow('down')
  expect(reads).toBe(1)
  expect(await Promise.all([secret.get(), secret.get(), secret.get()])).toEqual(['s2', 's2', 's2'])
  expect(await secret.refresh()).toBe('s3')
  expect(await secret.get()).toBe('s3')
})
