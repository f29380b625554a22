import { isDeepStrictEqual } from 'node:util'
import type { Bodies, Clock, Delivery, DeliveryKey, SeenDelivery, Transition } from '../../core/ports.ts'
import type { Identity } from '../../events/envelope.ts'
import { type Retention, retentionDays } from '../../events/event-type.ts'
import { markOf } from '../commit-rules.ts'
import { type Item, n, s } from './attributes.ts'
import type { Aws } from './clients.ts'
import {
  deliveryItem,
  deliveryKey,
  deliveryKeyOfItem,
  deliveryOf,
  isFinal,
  isHeld,
} from './delivery-items.ts'
import { type Condition, getAll, put, queryAll, update } from './dynamodb.ts'
import { dayInSeconds, eventKey, pkOf, secondsOf, storedEventOf } from './history-items.ts'

export type HistoryOptions = {
  aws: Aws
  /** name of the history table */
  table: string
  /** how long events of a type are kept; unknown types as `project` */
  retentionOf: (type: string) => Retention
  /** where large bodies lie: what a person still has to look at is kept under `held/` too */
  bodies: Pick<Bodies, 'get' | 'put'>
  clock: Clock
}

/** `type`: of its event, where it is held */
export type Mark = DeliveryKey & Delivery & { type?: string | undefined }

export const notFinal = {
  ConditionExpression: 'attribute_not_exists(pk) OR NOT (#state IN (:done, :dropped))',
  ExpressionAttributeNames: { '#state': 'state' },
  ExpressionAttributeValues: { ':done': s('done'), ':dropped': s('dropped') },
} as const satisfies Condition

export const standsAs = (seen: SeenDelivery | undefined): Condition => {
  if (seen === undefined) return { ConditionExpression: 'attribute_not_exists(pk)' }
  const { state, changed, resumed } = seen
  const again = resumed === undefined ? 'attribute_not_exists(#resumed)' : '#resumed = :resumed'
  return {
    ConditionExpression: `#state = :state AND #changed = :changed AND ${again}`,
    ExpressionAttributeNames: { '#state': 'state', '#changed': 'changed', '#resumed': 'resumed' },
    ExpressionAttributeValues: {
      ':state': s(state),
      ':changed': s(changed),
      ...(resumed === undefined ? {} : { ':resumed': n(resumed) }),
    },
  }
}

const keptAfterChange = 30 * dayInSeconds

/** The writing of delivery marks, for History and for Memory's transactions. */
export function deliveryMarks({ aws, table, retentionOf, bodies }: Omit<HistoryOptions, 'clock'>) {
  const expiryOf = (event: { type: string; received: string }): number =>
    secondsOf(event.received) + retentionDays[retentionOf(event.type)] * dayInSeconds

  /** max(retention of the event, 30 days after the change); never while held: it keeps its event alive. */
  async function items(marks: readonly Mark[]): Promise<Item[]> {
    const unsure = marks.filter(({ retention, state }) => retention === undefined && !isHeld(state))
    const found = await getAll(aws, table, unsure.map(eventKey))
    const events = new Map(unsure.map((mark, index) => [mark, found[index]]))
    return marks.map((mark) => {
      const event = events.get(mark)
      const least = secondsOf(mark.changed) + keptAfterChange
      if (isHeld(mark.state)) return deliveryItem(mark, mark, undefined)
      if (mark.retention !== undefined)
        // the event came before it was handled
        return deliveryItem(
          mark,
          mark,
          Math.max(least, secondsOf(mark.started) + retentionDays[mark.retention] * dayInSeconds),
        )
      return deliveryItem(
        mark,
        mark,
        event === undefined ? least : Math.max(least, expiryOf(storedEventOf(event).event)),
      )
    })
  }

  /** Keeps an event and its body until `release`, and answers its type; nothing where there is no such event. */
  async function hold(identity: Identity): Promise<string | undefined> {
    const item = await update(aws, table, {
      key: keyItem(identity),
      update: 'REMOVE #ttl',
      condition: 'attribute_exists(pk)',
      names: { '#ttl': 'ttl' },
    })
    const event = item && storedEventOf(item).event
    const dataref = event?.dataref
    const body = dataref === undefined ? undefined : await bodies.get(dataref)
    if (dataref !== undefined && body !== undefined) await bodies.put(`held/${dataref}`, body)
    return event?.type
  }

  /**
   * Lets an event expire again, unless another of its deliveries holds it. Not within 30 days of the last change of one
   * that is retrying: what is sent again may be older than its retention, and still has to be handled.
   */
  async function release(identity: Identity): Promise<void> {
    const [event] = await getAll(aws, table, [eventKey(identity)])
    if (event === undefined) return
    const items = await queryAll(aws, table, {
      condition: '#pk = :pk AND begins_with(#sk, :delivery)',
      names: { '#pk': 'pk', '#sk': 'sk' },
      values: { ':pk': s(pkOf(identity)), ':delivery': s('delivery#') },
      consistent: true,
    })
    const deliveries = items
      .filter((item) => deliveryKeyOfItem(item)?.source === identity.source)
      .map(deliveryOf)
    if (deliveries.some(({ state }) => isHeld(state))) return
    const needed = deliveries.flatMap(({ state, changed }) =>
      state === 'retrying' ? [secondsOf(changed) + keptAfterChange] : [],
    )
    await update(aws, table, {
      key: keyItem(identity),
      update: 'SET #ttl = :ttl',
      condition: 'attribute_exists(pk)',
      names: { '#ttl': 'ttl' },
      values: { ':ttl': n(Math.max(expiryOf(storedEventOf(event).event), ...needed)) },
    })
  }

  /**
   * The item of a mark that is about to be written. What holds its event does so first: kept too long is better than a
   * dead letter without its event. Once it is known what became of the mark, `settle`.
   */
  async function heldItem(mark: Mark): Promise<Item> {
    const type = isHeld(mark.state) ? await hold(mark) : undefined
    const [item] = await items([{ ...mark, type }])
    if (item === undefined) throw new Error('a mark has an item')
    return item
  }

  /** Lets the event of a mark go where nothing holds it now: `wasHeld` by the mark that this one has replaced. */
  async function settle(mark: Mark, { written, wasHeld }: { written: boolean; wasHeld: boolean }) {
    if (isHeld(mark.state) ? !written : written && wasHeld) await release(mark)
  }

  /** False when the delivery is done or dropped. */
  async function mark(mark: Mark): Promise<boolean> {
    const { refused, old } = await put(aws, table, await heldItem(mark), notFinal)
    const wasHeld = old !== undefined && isHeld(deliveryOf(old).state)
    await settle(mark, { written: !refused, wasHeld })
    return !refused
  }

  /** False when the delivery no longer stands as it was seen. */
  async function transition({ key, seen, next }: Transition): Promise<boolean> {
    if (seen !== undefined && isFinal(seen.state)) return false
    const mark = markOf(key, next)
    const item = await heldItem(mark)
    const { refused } = await put(aws, table, item, standsAs(seen))
    const written = !refused || (await stands(mark, item))
    await settle(mark, { written, wasHeld: seen !== undefined && isHeld(seen.state) })
    return written
  }

  /** A try whose answer got lost was made again, and refused by what it had written itself. */
  async function stands(key: DeliveryKey, item: Item): Promise<boolean> {
    const [standing] = await getAll(aws, table, [deliveryKey(key)])
    return standing !== undefined && isDeepStrictEqual(deliveryOf(standing), deliveryOf(item))
  }

  return { expiryOf, items, heldItem, settle, mark, transition }
}

export const keyItem = (identity: Identity): Item => {
  const { pk, sk } = eventKey(identity)
  return { pk: s(pk), sk: s(sk) }
}
