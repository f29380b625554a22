import { beforeAll, describe, expect, test } from 'vitest'
import type { History } from '../../core/ports.ts'
import type { Identity } from '../../events/envelope.ts'
import { createTable } from '../../test/aws-resources.ts'
import { delivery, freshProject, keyOf, minute, sample } from '../contract/samples.ts'
import { inMemoryBodies } from '../in-memory/bodies.ts'
import { number } from './attributes.ts'
import { type Aws, connect } from './clients.ts'
import { getAll } from './dynamodb.ts'
import { dynamoHistory } from './history.ts'
import { eventKey } from './history-items.ts'

let aws: Aws
let table: string
let history: History
const historyOf = (through: Aws) =>
  dynamoHistory({
    ...{ aws: through, table, bodies: inMemoryBodies() },
    retentionOf: () => 'project',
    clock: () => minute(30),
  })

beforeAll(async () => {
  aws = connect()
  table = await createTable(aws, 'history')
  history = historyOf(aws)
})

const dead = delivery({ state: 'dead', changed: minute(3) })
const done = delivery({ changed: minute(8) })

async function recorded() {
  const stored = sample({ project: freshProject() })
  await history.insertEvents([stored])
  return { event: stored.event, key: keyOf(stored.event) }
}

const ttlOf = async (event: Identity): Promise<number | undefined> =>
  number.optional().parse(((await getAll(aws, table, [eventKey(event)]))[0] ?? expect.fail('no item')).ttl)

/** A history to which something happens right before it first calls one of these operations. */
function interrupted(operation: RegExp, act: () => Promise<unknown>) {
  let happened = false
  const call: Aws['call'] = async (service, name, input) => {
    const isFirst = operation.test(name) && !happened
    happened ||= isFirst
    if (isFirst) await act()
    return aws.call(service, name, input)
  }
  return { history: historyOf({ ...aws, call }), happened: () => happened }
}

describe('what keeps an event, and what lets it go', () => {
  test('an event that cannot be parsed keeps nobody from settling its delivery', async () => {
    const { event } = await recorded()
    const key = keyOf({ ...event, id: `${event.id}y` })
    const { pk, sk } = eventKey(key)
    await aws.call('dynamodb', 'PutItem', {
      TableName: table,
      Item: { pk: { S: pk }, sk: { S: sk }, event: { B: 'AAAA' }, page: { S: 'x' }, ttl: { N: '1' } },
    })
    await history.mark(key, dead)
    expect(await ttlOf(key)).toBeUndefined()
    const dropped = delivery({ state: 'dropped', changed: minute(9) })
    expect(await history.transition({ key, seen: dead, next: dropped })).toBe(true)
  })

  test.each([/^BatchGetItem$/, /^Query$/, /^UpdateItem$/])(
    'what dies while another delivery lets the event go keeps it (%s)',
    async (operation) => {
      const { event, key } = await recorded()
      await history.mark(key, dead)
      const dies = () => history.mark(keyOf(event, 'publish'), dead)
      const settling = interrupted(operation, dies)
      expect(await settling.history.transition({ key, seen: dead, next: done })).toBe(true)
      expect(settling.happened()).toBe(true)
      expect(await ttlOf(event)).toBeUndefined()
    },
  )

  test('what lets the event go while another delivery dies does not let go of what that keeps', async () => {
    const { event, key } = await recorded()
    await history.mark(key, dead)
    const settles = () => history.transition({ key, seen: dead, next: done })
    const dying = interrupted(/^(PutItem|TransactWriteItems)$/, settles)
    expect(await dying.history.mark(keyOf(event, 'publish'), dead)).toBe(true)
    expect(dying.happened()).toBe(true)
    expect(await ttlOf(event)).toBeUndefined()
    await history.transition({ key: keyOf(event, 'publish'), seen: dead, next: done })
    expect(await ttlOf(event)).toBeDefined()
  })

  test('of many that die and are settled at once none is left without its event, and none keeps it for ever', async () => {
    const { event, key } = await recorded()
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'].map((subscriber) => ({ ...key, subscriber }))
    for (const [index, one] of keys.entries()) if (index % 2 === 0) await history.mark(one, dead)
    await Promise.all(
      keys.map((one, index) =>
        index % 2 === 0 ? history.transition({ key: one, seen: dead, next: done }) : history.mark(one, dead),
      ),
    )
    expect(await ttlOf(event)).toBeUndefined()
    await Promise.all(keys.map((one) => history.mark(one, done)))
    expect(await ttlOf(event)).toBeDefined()
  })
})
