import { beforeAll, expect, test } from 'vitest'
import type { History, Memory } from '../../core/ports.ts'
import { createTable } from '../../test/aws-resources.ts'
import { commitTransitionsContract } from '../contract/commit-transitions.ts'
import { memoryContract } from '../contract/memory.ts'
import { memoryListsContract } from '../contract/memory-lists.ts'
import { delivery, freshProject, keyOf, minute, sample } from '../contract/samples.ts'
import { inMemoryBodies } from '../in-memory/bodies.ts'
import { number } from './attributes.ts'
import { type Aws, connect } from './clients.ts'
import { getAll } from './dynamodb.ts'
import { dynamoHistory } from './history.ts'
import { eventKey, secondsOf } from './history-items.ts'
import { dynamoMemory } from './memory.ts'

let aws: Aws
let memory: Memory
let history: History
let historyTable: string
let now = minute(0)

beforeAll(async () => {
  aws = connect()
  const clock = () => now
  historyTable = await createTable(aws, 'history')
  const options = { table: historyTable, retentionOf: () => 'project' as const, bodies: inMemoryBodies() }
  history = dynamoHistory({ aws, clock, ...options })
  memory = dynamoMemory({ aws, table: await createTable(aws, 'memory'), clock, history: options })
})

const make = () => ({
  memory,
  history,
  setTime: (time: string) => {
    now = time
  },
})

memoryContract(make)
memoryListsContract(make)
commitTransitionsContract(make)

const ttlOf = async (event: { project: string; source: string; id: string }) => {
  const [item] = await getAll(aws, historyTable, [eventKey(event)])
  return number.optional().parse(item?.ttl)
}

test('a change that settles a dead delivery lets its event expire again', async () => {
  const stored = sample({ project: freshProject() })
  await history.insertEvents([stored])
  await history.mark(keyOf(stored.event), delivery({ state: 'dead' }))
  expect(await ttlOf(stored.event)).toBeUndefined()
  const mark = { ...keyOf(stored.event), ...delivery() }
  expect(await memory.commit({ writes: [], outbox: [], mark })).toBe('committed')
  expect(await ttlOf(stored.event)).toBe(secondsOf(stored.event.received) + 30 * 86_400)
})

test('a change that parks a delivery keeps its event', async () => {
  const stored = sample({ project: freshProject() })
  await history.insertEvents([stored])
  const mark = { ...keyOf(stored.event), ...delivery({ state: 'parked' }) }
  expect(await memory.commit({ writes: [], outbox: [], mark })).toBe('committed')
  expect(await ttlOf(stored.event)).toBeUndefined()
  const done = { ...keyOf(stored.event), ...delivery() }
  await memory.commit({ writes: [], outbox: [], mark: done })
  expect(await memory.commit({ writes: [], outbox: [], mark })).toBe('done already')
  expect(await ttlOf(stored.event)).toBe(secondsOf(stored.event.received) + 30 * 86_400)
})

test('a change that settles a delivery by sight lets its event expire, and keeps it where it is refused', async () => {
  const stored = sample({ project: freshProject() })
  await history.insertEvents([stored])
  const key = keyOf(stored.event)
  const dead = delivery({ state: 'dead', changed: minute(3) })
  await history.mark(key, dead)
  const next = delivery({ state: 'dropped', changed: minute(4) })
  const settle = (changed: string) =>
    memory.commit({ writes: [], outbox: [], transition: { key, seen: { ...dead, changed }, next } })
  expect(await settle(minute(2))).toBe('done already')
  expect(await ttlOf(stored.event)).toBeUndefined()
  expect(await settle(minute(3))).toBe('committed')
  expect(await ttlOf(stored.event)).toBe(secondsOf(stored.event.received) + 30 * 86_400)
})

test('without a history a change with a mark is refused', async () => {
  const { event } = sample({ project: freshProject() })
  const alone = dynamoMemory({ aws, table: 'any', clock: () => now })
  await expect(
    alone.commit({ writes: [], outbox: [], mark: { ...keyOf(event), ...delivery() } }),
  ).rejects.toThrow('history')
})
