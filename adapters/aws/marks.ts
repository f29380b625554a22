import { isDeepStrictEqual } from 'node:util'
import { Failure } from '../../core/errors.ts'
import type { Bodies, Clock, Delivery, DeliveryKey, SeenDelivery, Transition } from '../../core/ports.ts'
import type { Identity, RecordedEvent } from '../../events/envelope.ts'
import { type Retention, retentionDays } from '../../events/event-type.ts'
import { markOf } from '../commit-rules.ts'
import { type Item, n, number, type RawItem, s } from './attributes.ts'
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
import { putOf, transactInTurn, updateOf, type Write } from './transactions.ts'

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
      const known = event && readable(event)
      return deliveryItem(mark, mark, known === undefined ? least : Math.max(least, expiryOf(known)))
    })
  }

  /** What the event of a held mark says, and its body copied to where it is kept; undefined where there is none. */
  async function kept(identity: Identity): Promise<{ type: string | undefined } | undefined> {
    const [found] = await getAll(aws, table, [eventKey(identity)])
    if (found === undefined) return undefined
    const { type, dataref } = readable(found) ?? {}
    const body = dataref === undefined ? undefined : await bodies.get(dataref)
    if (dataref !== undefined && body !== undefined) await bodies.put(`held/${dataref}`, body)
    return { type }
  }

  /**
   * The item of a mark, and what is written with it in one transaction: a held mark keeps its event from expiring. The
   * count of its holds tells a `release` that looked before.
   */
  async function prepared(mark: Mark): Promise<{ item: Item; holds: Write[] }> {
    const event = isHeld(mark.state) ? await kept(mark) : undefined
    const [item] = await items([{ ...mark, type: event?.type }])
    if (item === undefined) throw new Error('a mark has an item')
    const hold = {
      key: keyItem(mark),
      update: 'REMOVE #ttl ADD #holds :one',
      condition: 'attribute_exists(pk)',
      names: { '#ttl': 'ttl', '#holds': 'holds' },
      values: { ':one': n(1) },
    }
    return { item, holds: event === undefined ? [] : [updateOf(table, hold)] }
  }

  /**
   * Lets an event expire again, unless one of its deliveries holds it: also not if that came to hold it after this has
   * looked. Not within 30 days of the last change of one that is retrying: what is sent again may be older than its
   * retention, and still has to be handled. What newer code wrote is kept too long rather than lost.
   */
  async function release(identity: Identity): Promise<void> {
    for (;;) {
      const [found] = await getAll(aws, table, [eventKey(identity)])
      const event = found && readable(found)
      if (found === undefined || event === undefined) return
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
      const holds = number.optional().parse(found.holds)
      const set = await update(aws, table, {
        key: keyItem(identity),
        update: 'SET #ttl = :ttl',
        condition:
          holds === undefined
            ? 'attribute_exists(pk) AND attribute_not_exists(#holds)'
            : 'attribute_exists(pk) AND #holds = :holds',
        names: { '#ttl': 'ttl', '#holds': 'holds' },
        values: {
          ':ttl': n(Math.max(expiryOf(event), ...needed)),
          ...(holds === undefined ? {} : { ':holds': n(holds) }),
        },
      })
      if (set !== undefined) return
    }
  }

  /** Lets the event of a mark that was written go where nothing holds it now: `wasHeld` by the one it has replaced. */
  async function settle(mark: Mark, wasHeld: boolean): Promise<void> {
    if (wasHeld && !isHeld(mark.state)) await release(mark)
  }

  /** Writes a mark and what keeps its event; answers the mark that it replaced, where it need not hold its event. */
  async function write(
    mark: Mark,
    condition: Condition,
  ): Promise<{ refused: boolean; old?: RawItem | undefined; item: Item }> {
    const { item, holds } = await prepared(mark)
    if (holds.length === 0) return { ...(await put(aws, table, item, condition)), item }
    const writes = [putOf(table, item, condition), ...holds]
    const refused = await transactInTurn(aws, writes, `the delivery of ${mark.id} to ${mark.subscriber}`)
    if (refused !== undefined && !refused.includes(0)) throw expired()
    return { refused: refused !== undefined, item }
  }

  /** False when the delivery is done or dropped. */
  async function mark(mark: Mark): Promise<boolean> {
    const { refused, old } = await write(mark, notFinal)
    if (!refused) await settle(mark, old !== undefined && isHeld(deliveryOf(old).state))
    return !refused
  }

  /** False when the delivery no longer stands as it was seen. */
  async function transition({ key, seen, next }: Transition): Promise<boolean> {
    if (seen !== undefined && isFinal(seen.state)) return false
    const mark = markOf(key, next)
    const { refused, item } = await write(mark, standsAs(seen))
    const written = !refused || (await stands(mark, item))
    if (written) await settle(mark, seen !== undefined && isHeld(seen.state))
    return written
  }

  /** A try whose answer got lost was made again, and refused by what it had written itself. */
  async function stands(key: DeliveryKey, item: Item): Promise<boolean> {
    const [standing] = await getAll(aws, table, [deliveryKey(key)])
    return standing !== undefined && isDeepStrictEqual(deliveryOf(standing), deliveryOf(item))
  }

  return { expiryOf, items, prepared, settle, mark, transition }
}

/** Undefined where newer code wrote it: that must not keep anybody from marking its deliveries. */
function readable(item: RawItem): RecordedEvent | undefined {
  try {
    return storedEventOf(item).event
  } catch {
    return undefined
  }
}

/** Who comes again finds no event, and marks without it. */
export const expired = (): Failure => new Failure('Busy', 'its event has expired in this moment')

export const keyItem = (identity: Identity): Item => {
  const { pk, sk } = eventKey(identity)
  return { pk: s(pk), sk: s(sk) }
}
