import type { Aws } from '../../adapters/aws/clients.ts'

import { type Calls, type Process, through } from './calls.ts'
import type { Observed } from './observed.ts'
import type { SimulatedQueues } from './queues.ts'

/**
 * AWS where many are sent in one request: the product's own adapters cut and read these, and each request goes through
 * faults by itself.
 */

export type Entry = {
  Id: string
  MessageBody: string
  MessageGroupId?: string
  MessageDeduplicationId?: string
}
export type Unsent = { Id: string; Code: string; Message: string }
export type Put = { ErrorCode?: string; ErrorMessage?: string }

const mostEntries = 10
/** Of several in one request together: what the adapters promise to keep to, as some regions and emulators take no more. */
const mostBytes = 262_144

function refuseTooMuch(what: string, sizes: readonly number[]): void {
  if (sizes.length > mostEntries) throw new Error(`TooManyEntries: ${what} takes ${mostEntries}`)
  const sum = sizes.reduce((all, size) => all + size, 0)
  if (sizes.length > 1 && sum > mostBytes) throw new Error(`${tooLongTogether}: ${what} of ${sum} bytes`)
}

export const tooLongTogether = 'BatchRequestTooLong'

export const sqs = (queues: SimulatedQueues, observed: Observed) => ({
  async send(queue: string, entries: readonly Entry[]): Promise<Unsent[]> {
    const sizes = entries.map(({ MessageBody }) => Buffer.byteLength(MessageBody) + queue.length + 11)
    refuseTooMuch('SendMessageBatch', sizes)
    if (entries.length < mostEntries && sizes.some((size) => size > mostBytes / 4))
      observed.sometimes('a batch is cut by its size')
    const failed = await queues.send(
      queue,
      entries.map(({ MessageBody: body, MessageGroupId: group, MessageDeduplicationId: dedupe = '' }) =>
        group === undefined ? body : { body, group, dedupe },
      ),
    )
    return failed.map(({ index, error }) => ({
      Id: entries[index]?.Id ?? '',
      Code: 'InvalidParameterValue',
      Message: String(error),
    }))
  },
  depth: (queue: string): Promise<number> => queues.depth(queue),
})

export const eventBridge = ({ published }: Observed) => ({
  async put(entries: readonly { Detail: string }[]): Promise<Put[]> {
    refuseTooMuch(
      'PutEvents',
      entries.map(({ Detail }) => Buffer.byteLength(Detail)),
    )
    return entries.map(({ Detail }) => {
      const { project, source, id } = JSON.parse(Detail) as { project: string; source: string; id: string }
      published.add(`${project} ${source} ${id}`)
      return {}
    })
  },
})

/** As one process reaches it. */
export function awsOf(
  calls: Calls,
  process: Process,
  real: { sqs: ReturnType<typeof sqs>; bus: ReturnType<typeof eventBridge> },
): Aws {
  const queues = through(calls, process, 'queues', real.sqs)
  const bus = through(calls, process, 'eventsBus', real.bus)
  const none = (): never => {
    throw new Error('nothing of this is simulated')
  }
  return {
    region: 'us-east-1',
    form: none,
    object: none,
    async call(_, operation, input) {
      const { QueueUrl, Entries } = input as { QueueUrl: string; Entries: never[] }
      switch (operation) {
        case 'SendMessageBatch':
          return { Failed: await queues.send(queueOf(QueueUrl), Entries) }
        case 'GetQueueAttributes':
          return {
            Attributes: {
              ApproximateNumberOfMessages: await queues.depth(queueOf(QueueUrl)),
              ApproximateNumberOfMessagesNotVisible: 0,
              ApproximateNumberOfMessagesDelayed: 0,
            },
          }
        case 'PutEvents':
          return { Entries: await bus.put(Entries) }
        default:
          return none()
      }
    },
  }
}

const queueOf = (url: string): string => url.replace(/\.fifo$/, '')
