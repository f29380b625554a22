// Longer than 300 lines: the contracts of all that one table keeps, and what only the real one has.
import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { Lanes } from '../../core/lane/lane.ts'
import type { Clock, History } from '../../core/ports.ts'
import { retentionDays } from '../../events/event-type.ts'
import { createTable } from '../../test/aws-resources.ts'
import { historyContract } from '../contract/history.ts'
import { historyListsContract } from '../contract/history-lists.ts'
import { historyOrderContract } from '../contract/history-order.ts'
import { lanesContract } from '../contract/lanes.ts'
import { mendingContract } from '../contract/mending.ts'
import { delivery, freshProject, keyOf, minute, quarantined, sample } from '../contract/samples.ts'
import { inMemoryBodies } from '../in-memory/bodies.ts'
import { number, type RawItem } from './attributes.ts'
import { type Aws, connect } from './clients.ts'
import { deliveryKey } from './delivery-items.ts'
import { getAll } from './dynamodb.ts'
import { dynamoHistory } from './history.ts'
import { eventKey, pagePk, pageSk, quarantineKey, secondsOf } from './history-items.ts'
import { lanePk } from './lane-items.ts'
import { dynamoLanes } from './lanes.ts'

let aws: Aws
let table: string
let history: History
let lanes: Lanes
const bodies = inMemoryBodies()
const clock: Clock = () => minute(30)
const retentionOf = (type: string) => (type.startsWith('audit.') ? ('audit' as const) : ('project' as const))

beforeAll(async () => {
  aws = connect()
  table = await createTable(aws, 'history')
  history = dynamoHistory({ aws, table, retentionOf, bodies, clock })
  lanes = dynamoLanes({ aws, table, retentionOf, bodies, clock })
})

const make = () => ({ history, bodies, expireBody: async (key: string) => bodies.remove(key) })
historyContract(make)
historyListsContract(make)
mendingContract(make)
describe('lanes', () => lanesContract(() => ({ ...make(), lanes })))
historyOrderContract(make)

const day = 86_400
const rawOf = async (key: { pk: string; sk: string }): Promise<RawItem> =>
  (await getAll(aws, table, [key]))[0] ?? expect.fail('no such item')
const ttlOf = async (key: { pk: string; sk: string }): Promise<number | undefined> =>
  number.optional().parse((await rawOf(key)).ttl)

describe('expiry', () => {
  test('an event expires its retention after it was received', async () => {
    const project = freshProject()
    const push = sample({ project, received: minute(7), time: '1970-01-01T00:00:00Z' })
    const audit = sample({ project, type: 'audit.key-created' })
    await history.insertEvents([push, audit])
    expect(await ttlOf(eventKey(push.event))).toBe(secondsOf(minute(7)) + 30 * day)
    expect(await ttlOf(eventKey(audit.event))).toBe(secondsOf(minute(0)) + 400 * day)
  })

  test('a delivery expires with its event, and not within 30 days of its change', async () => {
    const project = freshProject()
    const push = sample({ project })
    const audit = sample({ project, type: 'audit.key-created' })
    await history.insertEvents([push, audit])
    const marks = [push, audit].map(({ event }) => ({ ...keyOf(event), ...delivery({ changed: minute(9) }) }))
    await history.insertDeliveries(marks)
    expect(await Promise.all(marks.map((mark) => ttlOf(deliveryKey(mark))))).toEqual([
      secondsOf(minute(9)) + 30 * day,
      secondsOf(minute(0)) + 400 * day,
    ])
  })

  test('given the retention, the event is not read for it', async () => {
    const { event } = sample({ project: freshProject() })
    const mark = { ...keyOf(event), ...delivery({ retention: 'audit', started: minute(3) }) }
    await history.insertDeliveries([mark])
    expect(await ttlOf(deliveryKey(mark))).toBe(secondsOf(minute(3)) + retentionDays.audit * day)
  })

  test.each(['dead', 'parked'] as const)('a %s mark keeps its event, settling lets it go', async (state) => {
    const stored = sample({ project: freshProject() })
    const { event } = stored
    const usual = secondsOf(event.received) + 30 * day
    await history.insertEvents([stored])
    await history.mark(keyOf(event), delivery({ state }))
    await history.mark(keyOf(event, 'publish'), delivery({ state }))
    expect(await ttlOf(eventKey(event))).toBeUndefined()
    expect(await ttlOf(deliveryKey(keyOf(event)))).toBeUndefined()
    await history.mark(keyOf(event), delivery({ state: 'done' }))
    // the other one still holds it
    expect(await ttlOf(eventKey(event))).toBeUndefined()
    await history.mark(keyOf(event, 'publish'), delivery({ state: 'dropped' }))
    expect(await ttlOf(eventKey(event))).toBe(usual)
    expect(await history.getEvents([event])).toEqual([stored])
  })

  test('a dead mark that comes too late leaves the expiry as it was', async () => {
    const stored = sample({ project: freshProject() })
    await history.insertEvents([stored])
    await history.insertDeliveries([{ ...keyOf(stored.event), ...delivery() }])
    expect(await history.mark(keyOf(stored.event), delivery({ state: 'dead' }))).toBe(false)
    expect(await ttlOf(eventKey(stored.event))).toBe(secondsOf(minute(0)) + 30 * day)
  })

  test('a dead mark of an event that nobody recorded makes no event', async () => {
    const { event } = sample({ project: freshProject() })
    expect(await history.mark(keyOf(event), delivery({ state: 'dead' }))).toBe(true)
    expect((await history.fate(event)).stored).toBeUndefined()
  })
})

describe('expiry of what is mended', () => {
  const dead = delivery({ state: 'dead', changed: minute(3) })
  const recorded = async () => {
    const stored = sample({ project: freshProject() })
    await history.insertEvents([stored])
    return { event: stored.event, key: keyOf(stored.event), usual: secondsOf(minute(0)) + 30 * day }
  }

  test('a dead delivery that is sent again lets its event go, one that is parked keeps it', async () => {
    const { event, key, usual } = await recorded()
    await history.mark(key, dead)
    const parked = delivery({ state: 'parked', changed: minute(4) })
    expect(await history.transition({ key, seen: dead, next: parked })).toBe(true)
    expect(await ttlOf(eventKey(event))).toBeUndefined()
    expect(await ttlOf(deliveryKey(key))).toBeUndefined()
    const retrying = delivery({ state: 'retrying', changed: minute(5) })
    expect(await history.transition({ key, seen: parked, next: retrying })).toBe(true)
    const sentAgain = secondsOf(minute(5)) + 30 * day
    expect(await ttlOf(eventKey(event))).toBe(sentAgain)
    expect(await ttlOf(deliveryKey(key))).toBeDefined()
    // refused, so it must not keep anything
    expect(await history.transition({ key, seen: dead, next: parked })).toBe(false)
    expect(await ttlOf(eventKey(event))).toBe(sentAgain)
    expect(await history.mark(key, delivery({ changed: minute(6) }))).toBe(true)
    // its handling needs it no longer, and costs no write for that
    expect(await ttlOf(eventKey(event))).toBe(sentAgain)
    expect(sentAgain).toBeGreaterThan(usual)
  })

  test('what is older than its retention is kept for 30 days once it is sent again', async () => {
    const { event, key } = await recorded()
    const later = (days: number) => new Date(Date.parse(minute(0)) + days * day * 1000).toISOString()
    const old = { ...dead, changed: later(90) }
    await history.mark(key, old)
    await history.mark(keyOf(event, 'publish'), old)
    const next = delivery({ state: 'retrying', changed: later(100), resumed: 1 })
    expect(await history.transition({ key, seen: old, next })).toBe(true)
    const dropped = delivery({ state: 'dropped', changed: later(101) })
    const change = { key: keyOf(event, 'publish'), seen: old, next: dropped }
    expect(await history.transition(change)).toBe(true)
    expect(await ttlOf(eventKey(event))).toBe(secondsOf(later(130)))
  })

  test('a change whose answer got lost is known for its own when it is made again', async () => {
    const { event, key } = await recorded()
    await history.mark(key, dead)
    const twice: Aws = {
      ...aws,
      call: async (service, operation, input) => {
        if (operation === 'PutItem') await aws.call(service, operation, input)
        return aws.call(service, operation, input)
      },
    }
    const forgetful = dynamoHistory({ aws: twice, table, retentionOf, bodies, clock })
    const next = delivery({ state: 'retrying', changed: minute(5), resumed: 1 })
    expect(await forgetful.transition({ key, seen: dead, next })).toBe(true)
    expect(await ttlOf(eventKey(event))).toBe(secondsOf(minute(5)) + 30 * day)
    const other = delivery({ state: 'retrying', changed: minute(6), resumed: 1 })
    expect(await history.transition({ key, seen: dead, next: other })).toBe(false)
  })

  test('an event that cannot be parsed is told from one that is not there', async () => {
    const { event } = await recorded()
    const { pk, sk } = eventKey({ ...event, id: `${event.id}x` })
    await aws.call('dynamodb', 'PutItem', {
      TableName: table,
      Item: { pk: { S: pk }, sk: { S: sk }, event: { B: 'AAAA' }, page: { S: 'x' } },
    })
    const odd = { ...event, id: `${event.id}x` }
    await expect(history.getEvents([event, odd])).rejects.toMatchObject({ code: 'NewerVersion' })
  })

  test('what another delivery holds stays, and so does what a refused one held', async () => {
    const { event, key } = await recorded()
    await history.mark(key, dead)
    await history.mark(keyOf(event, 'publish'), dead)
    const retrying = delivery({ state: 'retrying', changed: minute(5) })
    expect(await history.transition({ key, seen: dead, next: retrying })).toBe(true)
    expect(await ttlOf(eventKey(event))).toBeUndefined()
    const parked = delivery({ state: 'parked', changed: minute(6) })
    const seen = { state: 'dead', changed: minute(4) } as const
    expect(await history.transition({ key: keyOf(event, 'publish'), seen, next: parked })).toBe(false)
    expect(await ttlOf(eventKey(event))).toBeUndefined()
  })

  test('a delivery that waits in a lane keeps its event; one that may not wait keeps nothing', async () => {
    const { event, key, usual } = await recorded()
    const lane = { project: key.project, subscriber: key.subscriber, partitionkey: 'k', replay: '' }
    const parked = { key, sequence: 1, delivery: delivery({ state: 'parked', changed: minute(3) }) }
    expect(await lanes.wait(lane, parked, 'behind')).toBe('open')
    expect(await ttlOf(eventKey(event))).toBe(usual)
    expect(await lanes.wait(lane, parked, 'closing')).toBe('waits')
    expect(await ttlOf(eventKey(event))).toBeUndefined()
    await history.mark(key, delivery())
    expect(await ttlOf(eventKey(event))).toBe(usual)
    expect(await lanes.wait(lane, parked, 'closing')).toBe('final')
    expect(await ttlOf(eventKey(event))).toBe(usual)
  })

  test('a closed lane does not expire, an opened one does, and one that is closed again does not', async () => {
    const { key } = await recorded()
    const lane = { project: key.project, subscriber: key.subscriber, partitionkey: 'k', replay: 'r' }
    const first = { key: { ...key, replay: 'r' }, sequence: 1 }
    const laneItem = { pk: lanePk(lane), sk: 'lane' }
    await lanes.wait(lane, { ...first, delivery: dead }, 'closing')
    expect(await ttlOf(laneItem)).toBeUndefined()
    await lanes.leave(lane, first)
    expect(await lanes.open(lane, (await lanes.lane(lane))?.version ?? 0)).toBe(true)
    expect(await ttlOf(laneItem)).toBe(secondsOf(clock()) + 30 * day)
    await lanes.wait(lane, { ...first, delivery: dead, seen: dead }, 'closing')
    expect(await ttlOf(laneItem)).toBeUndefined()
  })

  test('a settled quarantine entry goes 30 days later, unless the same text comes again', async () => {
    const entry = quarantined(freshProject(), 1)
    const key = quarantineKey(entry.project, entry.digest)
    await history.quarantine(entry)
    const settled = { state: 'dropped', by: 'user:a', at: minute(9), note: 'junk' } as const
    await history.settleQuarantined(entry.project, entry.digest, settled)
    expect(await ttlOf(key)).toBe(secondsOf(minute(9)) + 30 * day)
    await history.quarantine({ ...entry, received: minute(20) })
    expect(await ttlOf(key)).toBe(secondsOf(minute(20)) + 400 * day)
  })
})

describe('what is stored and cannot be parsed', () => {
  const broken = { B: Buffer.from('nothing of ours').toString('base64') }
  const spoil = (key: { pk: string; sk: string }, attribute: string) =>
    aws.call('dynamodb', 'UpdateItem', {
      TableName: table,
      Key: { pk: { S: key.pk }, sk: { S: key.sk } },
      UpdateExpression: 'SET #spoilt = :broken',
      ExpressionAttributeNames: { '#spoilt': attribute },
      ExpressionAttributeValues: { ':broken': broken },
    })

  test.each(['event', 'expects'])(
    'an event (its %s) has a failure of that name for a fate',
    async (attribute) => {
      const { event } = sample({ project: freshProject() })
      await history.insertEvents([sample(event)])
      await spoil(eventKey(event), attribute)
      await expect(history.fate(event)).rejects.toMatchObject({ code: 'NewerVersion' })
    },
  )

  test('a delivery has it too', async () => {
    const { event } = sample({ project: freshProject() })
    await history.mark(keyOf(event), delivery())
    await spoil(deliveryKey(keyOf(event)), 'state')
    await expect(history.fate(event)).rejects.toMatchObject({ code: 'NewerVersion' })
    await expect(history.getDeliveries([keyOf(event)])).rejects.toMatchObject({ code: 'NewerVersion' })
  })

  test('a page is there, marked so, among those around it', async () => {
    const at = { project: freshProject(), hour: '2026-01-01T12', shard: 1 }
    for (const page of ['a', 'b', 'c']) await history.putPage({ ...at, page, entries: [] })
    await spoil({ pk: pagePk(at), sk: pageSk('b') }, 'entries')
    expect(await history.pages({ ...at, limit: 10 })).toEqual([
      { ...at, page: 'a', entries: [] },
      { ...at, page: 'b', entries: [], unreadable: true },
      { ...at, page: 'c', entries: [] },
    ])
  })
})

describe('items', () => {
  const sizeOf = (item: RawItem): number =>
    Object.entries(item).reduce((sum, [name, attribute]) => {
      const { S, N, B, L } = z
        .object({ S: z.string(), N: z.string(), B: z.string(), L: z.array(z.object({ S: z.string() })) })
        .partial()
        .parse(attribute)
      const value =
        (S === undefined ? 0 : Buffer.byteLength(S)) +
        (N === undefined ? 0 : Math.ceil(N.length / 2) + 1) +
        (B === undefined ? 0 : Buffer.from(B, 'base64').byteLength) +
        (L === undefined ? 0 : 3 + L.reduce((all, { S }) => all + 1 + Buffer.byteLength(S), 0))
      return sum + Buffer.byteLength(name) + value
    }, 0)

  test('an event of 1 KB of text and its delivery cost one write each', async () => {
    const text = Array.from({ length: 160 }, (_, n) => `word${(n * n) % 97}`).join(' ')
    const stored = sample({ project: freshProject(), data: { text: text.slice(0, 1000) } })
    await history.insertEvents([stored])
    await history.insertDeliveries([{ ...keyOf(stored.event), ...delivery() }])
    expect(sizeOf(await rawOf(eventKey(stored.event)))).toBeLessThan(1024)
    expect(sizeOf(await rawOf(deliveryKey(keyOf(stored.event))))).toBeLessThan(300)
  })

  test('an event stands in an index only where a reader needs it there', async () => {
    const project = freshProject()
    const first = sample({ project })
    const type = 'build.status-changed'
    const later = sample({
      project,
      type,
      correlationid: first.event.id,
      sequence: 4,
      partitionkey: 'build/1',
    })
    const unordered = sample({ project, type: 'approval.decided', sequence: 4, partitionkey: 'approval/1' })
    await history.insertEvents([first, later, unordered])
    const indexed = (item: RawItem) => Object.keys(item).filter((name) => /^(trace|open|order)/.test(name))
    expect(indexed(await rawOf(eventKey(first.event)))).toEqual([])
    expect(indexed(await rawOf(eventKey(unordered.event)))).toEqual([])
    const item = await rawOf(eventKey(later.event))
    expect(indexed(item).toSorted()).toEqual(['orderpk', 'ordersk', 'tracepk', 'tracesk'])
    expect(item.orderpk).toEqual({ S: `${project}#build/1` })
    expect(item.region).toEqual({ S: 'us-east-1' })
  })
})
