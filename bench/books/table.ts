import { createServer } from 'node:http'
import * as z from 'zod'

/**
 * A DynamoDB that keeps items and answers queries by key, at once, in a process of its own: what is left to measure is
 * whoever asks. Queues are empty. Prints its address.
 */
type Item = Record<string, { S?: string }>
const partitions = new Map<string, Item[]>()

const value = z.record(z.string(), z.unknown())
const insert = z.object({
  Statements: z.array(z.object({ Statement: z.string(), Parameters: z.array(value) })),
})
const query = z.object({
  ExpressionAttributeValues: z.record(z.string(), z.object({ S: z.string() })),
  Limit: z.number().default(1000),
})

function keep(item: Item): void {
  const pk = item.pk?.S ?? ''
  partitions.set(pk, [...(partitions.get(pk) ?? []), item])
}

function answer(operation: string | undefined, body: unknown): unknown {
  if (operation === 'PutItem')
    keep(z.object({ Item: z.record(z.string(), z.looseObject({})) }).parse(body).Item)
  if (operation === 'BatchExecuteStatement') {
    const { Statements } = insert.parse(body)
    for (const { Statement, Parameters } of Statements) {
      const names = [...Statement.matchAll(/'([^']+)':\?/g)].map(([, name = '']) => name)
      keep(Object.fromEntries(names.map((name, index) => [name, Parameters[index] ?? {}])))
    }
    return { Responses: Statements.map(() => ({})) }
  }
  if (operation !== 'Query') return {}
  const { ExpressionAttributeValues: at, Limit } = query.parse(body)
  const [first, last] = [at[':first']?.S ?? '', at[':last']?.S ?? '\u{10ffff}']
  const found = (partitions.get(at[':pk']?.S ?? '') ?? [])
    .filter(({ sk }) => (sk?.S ?? '') >= first && (sk?.S ?? '') <= last)
    .sort((a, b) => ((a.sk?.S ?? '') < (b.sk?.S ?? '') ? -1 : 1))
  return { Items: found.slice(0, Limit) }
}

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const operation = String(request.headers['x-amz-target']).split('.')[1]
    response.setHeader('content-type', 'application/x-amz-json-1.0')
    response.end(JSON.stringify(answer(operation, JSON.parse(Buffer.concat(parts).toString() || '{}'))))
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') console.log(`http://127.0.0.1:${address.port}`)
})
