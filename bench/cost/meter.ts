import * as z from 'zod'
import type { Aws } from '../../adapters/aws/clients.ts'

/**
 * Counts what is paid for, at the one place through which everything of ours goes to AWS. DynamoDB's units follow its
 * documentation: names and values count, writes by the kilobyte begun, reads by four, a transaction twice; an index that
 * an item appears in is a write of its own.
 */
export type Meter = {
  /** by what they are for, such as `event` or `sqs.SendMessageBatch`: units or requests */
  counts: Map<string, number>
  aws: Aws
}

const kilobytes = (bytes: number, each: number) => Math.max(1, Math.ceil(bytes / (each * 1024)))

/** Bytes of an attribute value as DynamoDB counts it. */
function sizeOf(value: unknown): number {
  const [kind, held] = Object.entries(z.record(z.string(), z.unknown()).parse(value))[0] ?? []
  if (kind === 'S') return Buffer.byteLength(String(held))
  if (kind === 'N') return Math.ceil(String(held).length / 2) + 1
  if (kind === 'B') return Buffer.from(String(held), 'base64').length
  if (kind === 'BOOL' || kind === 'NULL') return 1
  if (kind === 'SS')
    return z
      .array(z.string())
      .parse(held)
      .reduce((sum, one) => sum + Buffer.byteLength(one), 0)
  if (kind === 'L')
    return z
      .array(z.unknown())
      .parse(held)
      .reduce<number>((sum, one) => sum + 1 + sizeOf(one), 3)
  return 3 + itemSize(z.record(z.string(), z.unknown()).parse(held))
}

const itemSize = (item: Record<string, unknown>): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOf(value), 0)

const indexes = ['tracepk', 'openpk', 'orderpk', 'listpk'] as const
const item = z.record(z.string(), z.unknown())
const statement = z.object({ Statement: z.string(), Parameters: z.array(z.unknown()) })
const put = z.object({ Item: item })
const transaction = z.object({ TransactItems: z.array(z.object({ Put: put.optional() }).loose()) })

/** What an item is for, by its keys. */
function roomOf(row: Record<string, unknown>): string {
  const at = (name: string) => z.object({ S: z.string() }).safeParse(row[name]).data?.S ?? ''
  if (at('pk').startsWith('timeline~')) return 'timeline page'
  const room = at('sk').split('#')[0] ?? ''
  return room === '' ? 'other' : /^\d/.test(room) ? 'outbox' : room
}

export function metered(real: Aws): Meter {
  const counts = new Map<string, number>()
  const add = (name: string, amount: number): void => {
    counts.set(name, (counts.get(name) ?? 0) + amount)
  }
  const write = (row: Record<string, unknown>, times = 1) => {
    add(`write: ${roomOf(row)}`, kilobytes(itemSize(row), 1) * times)
    // what DynamoDB adds to each item
    add('bytes kept', itemSize(row) + 100)
    for (const index of indexes)
      if (row[index] !== undefined) add(`write: index ${index.slice(0, -2)}`, times)
  }

  function count(service: string, operation: string, input: object, answer: unknown): void {
    if (service !== 'dynamodb') {
      add(`${service}.${operation}`, 1)
      return
    }
    add('dynamodb calls', 1)
    switch (operation) {
      case 'PutItem':
        write(put.parse(input).Item)
        return
      case 'BatchExecuteStatement':
        for (const one of z.object({ Statements: z.array(statement) }).parse(input).Statements) {
          const names = [...one.Statement.matchAll(/'([^']+)':\?/g)].map(([, name]) => name ?? '')
          write(Object.fromEntries(names.map((name, index) => [name, one.Parameters[index]])))
        }
        return
      case 'TransactWriteItems':
        for (const { Put } of transaction.parse(input).TransactItems)
          if (Put) write(Put.Item, 2)
          else add('write: in transactions', 2)
        return
      case 'UpdateItem':
      case 'DeleteItem':
        add(`write: ${operation}`, 1)
        return
      case 'BatchWriteItem':
        add('write: removed', JSON.stringify(input).split('"DeleteRequest"').length - 1)
        return
      default: {
        const consistent = JSON.stringify(input).includes('"ConsistentRead":true')
        const bytes = JSON.stringify(answer).length
        add(`read: ${operation}`, kilobytes(bytes, 4) * (consistent ? 1 : 0.5))
      }
    }
  }

  return {
    counts,
    aws: {
      ...real,
      async call(service, operation, input) {
        const answer = await real.call(service, operation, input)
        count(service, operation, input, answer)
        return answer
      },
      async object(method, ...rest) {
        const answer = await real.object(method, ...rest)
        add(`s3.${method}`, 1)
        return answer
      },
    },
  }
}
