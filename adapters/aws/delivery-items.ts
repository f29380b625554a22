import * as z from 'zod'
import type { Delivery, DeliveryKey, DeliveryState, OpenMark } from '../../core/ports.ts'
import { shardOf, timeKey } from '../listing.ts'
import { type Item, n, number, type RawItem, s, strings, text, textSet, texts } from './attributes.ts'
import { openPk, openShards, pkOf, storedKey } from './history-items.ts'

/** How deliveries lie beside their event. */

export const deliveryKey = (key: DeliveryKey) => ({
  pk: pkOf(key),
  sk: `delivery#${key.subscriber}#${key.replay}#${key.source}`,
})

const open = z.enum(['retrying', 'parked', 'dead'])

/** These keep their event from expiring. */
export const isHeld = (state: DeliveryState): boolean => state === 'dead' || state === 'parked'

/** No later mark overwrites these. */
export const isFinal = (state: DeliveryState): boolean => state === 'done' || state === 'dropped'

/**
 * `expires` undefined: never, as long as it is open and nobody has looked at it. The `type` of its event, if known, is
 * told in the index's sort key, so that what reads the index alone knows it.
 */
export function deliveryItem(
  key: DeliveryKey,
  delivery: Delivery & { type?: string | undefined },
  expires: number | undefined,
): Item {
  const { pk, sk } = deliveryKey(key)
  return {
    pk: s(pk),
    sk: s(sk),
    state: s(delivery.state),
    attempts: n(delivery.attempts),
    started: s(delivery.started),
    changed: s(delivery.changed),
    ...(delivery.reason === undefined ? {} : { reason: s(delivery.reason) }),
    ...(delivery.emitted.length === 0 ? {} : { emitted: strings(delivery.emitted) }),
    ...(delivery.run === undefined ? {} : { run: s(delivery.run) }),
    ...(delivery.notes === undefined || delivery.notes.length === 0
      ? {}
      : { notes: strings(delivery.notes) }),
    ...(delivery.resumed === undefined ? {} : { resumed: n(delivery.resumed) }),
    ...(delivery.uncounted === undefined ? {} : { uncounted: n(delivery.uncounted) }),
    ...(delivery.letGo ? { letGo: s('yes') } : {}),
    ...(delivery.replayed === undefined ? {} : { replayed: s(delivery.replayed) }),
    ...(expires === undefined ? {} : { ttl: n(expires) }),
    ...(open.safeParse(delivery.state).success
      ? {
          openpk: s(openPk(key.project, key.subscriber, shardOf(pk + sk, openShards))),
          opensk: s(
            [delivery.state, timeKey(delivery.changed, pk + sk), delivery.type ?? []].flat().join('#'),
          ),
        }
      : {}),
  }
}

const storedDelivery = z.object({
  state: text.pipe(z.enum([...open.options, 'done', 'dropped'])),
  attempts: number,
  started: text,
  changed: text,
  reason: text.optional(),
  emitted: texts.default([]),
  run: text.optional(),
  notes: texts.optional(),
  resumed: number.optional(),
  uncounted: number.optional(),
  letGo: text.transform(() => true as const).optional(),
  replayed: text.pipe(z.enum(['emit', 'rebuild'])).optional(),
})

export const deliveryOf = (item: RawItem): Delivery => storedDelivery.parse(item)

/** Whose delivery an item is, by its keys; undefined for any other item. */
export function deliveryKeyOfItem(item: RawItem): DeliveryKey | undefined {
  const { pk, sk } = storedKey.parse(item)
  return splitDeliveryKey(pk, sk, 'delivery')
}

function splitDeliveryKey(pk: string, sk: string, kind: string): DeliveryKey | undefined {
  const [prefix, subscriber, replay, ...source] = sk.split('#')
  if (prefix !== kind || subscriber === undefined || replay === undefined) return undefined
  const hash = pk.indexOf('#')
  return { project: pk.slice(0, hash), id: pk.slice(hash + 1), source: source.join('#'), subscriber, replay }
}

// ---- notes: beside the delivery, because they may come before it

export const noteKey = (key: DeliveryKey) => ({
  pk: pkOf(key),
  sk: `note#${key.subscriber}#${key.replay}#${key.source}`,
})

export function notesOfItem(item: RawItem): { key: DeliveryKey; notes: string[] } | undefined {
  const { pk, sk } = storedKey.parse(item)
  const key = splitDeliveryKey(pk, sk, 'note')
  return key && { key, notes: z.object({ notes: textSet }).parse(item).notes }
}

/** The deliveries among the items of one id, of the event from one source, each with its notes; in order of their keys. */
export function deliveriesIn(items: readonly RawItem[], source: string): (DeliveryKey & Delivery)[] {
  const notes = new Map<string, string[]>()
  for (const item of items) {
    const noted = notesOfItem(item)
    if (noted) notes.set(deliveryKey(noted.key).sk, noted.notes)
  }
  return items.flatMap((item) => {
    const key = deliveryKeyOfItem(item)
    if (key === undefined || key.source !== source) return []
    const delivery = deliveryOf(item)
    const noted = [...new Set([...(delivery.notes ?? []), ...(notes.get(deliveryKey(key).sk) ?? [])])]
    return [{ ...key, ...delivery, ...(noted.length === 0 ? {} : { notes: noted.sort() }) }]
  })
}

/** What the open index alone says: `opensk` is state, time, a tie-breaker and, if known, the type of the event. */
export function openMarkOf(entry: RawItem): OpenMark | undefined {
  const key = deliveryKeyOfItem(entry)
  const [state, changed, _, ...type] = text.parse(entry.opensk).split('#')
  if (key === undefined || changed === undefined) return undefined
  return { ...key, state: open.parse(state), changed, type: type.length === 0 ? undefined : type.join('#') }
}
