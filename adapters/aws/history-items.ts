import * as z from 'zod'
import type { Page, PageEntry, PageName, Quarantined, StoredEvent } from '../../core/ports.ts'
import { eventTypeNamed } from '../../events/catalogue.ts'
import { type Identity, recordedEvent } from '../../events/envelope.ts'
import { sequenceKey, shardOf, timeKey } from '../listing.ts'
import {
  b,
  bytes,
  type Item,
  n,
  packed,
  type RawItem,
  s,
  strings,
  text,
  texts,
  unpacked,
} from './attributes.ts'

/** How history lies in its table. Items are kept small: every kilobyte begun is paid for. */

export const traceShards = 4
export const openShards = 8

export const openPk = (project: string, subscriber: string, shard: number): string =>
  `${project}#${subscriber}#${shard}`

export const dayInSeconds = 86_400
export const secondsOf = (iso: string): number => Math.floor(Date.parse(iso) / 1000)

export const pkOf = ({ project, id }: { project: string; id: string }): string => `${project}#${id}`

// ---- events

export const eventKey = (identity: Identity) => ({ pk: pkOf(identity), sk: `event#${identity.source}` })

const pageText = ({ hour, shard, page }: PageName): string => `${hour}/${shard}/${page}`

/** `expires` in seconds since 1970. What the keys say already is left out of the packed event. */
export function eventItem(stored: StoredEvent, expires: number, region: string): Item {
  const { event } = stored
  const { project, source: _, id, partitionkey, correlationid, ...rest } = event
  const key = eventKey(event)
  return {
    pk: s(key.pk),
    sk: s(key.sk),
    event: packed({
      ...rest,
      ...(partitionkey === id ? {} : { partitionkey }),
      ...(correlationid === id ? {} : { correlationid }),
    }),
    content: b(Buffer.from(stored.content, 'hex')),
    ...(stored.expects.length === 0 ? {} : { expects: strings(stored.expects) }),
    page: s(pageText(stored.page)),
    region: s(region),
    ttl: n(expires),
    ...(correlationid === id
      ? {}
      : {
          tracepk: s(tracePk(project, correlationid, shardOf(key.pk + key.sk, traceShards))),
          tracesk: s(timeKey(event.received, key.pk + key.sk)),
        }),
    ...(event.sequence === undefined || !eventTypeNamed(event.type)?.ordered
      ? {}
      : {
          orderpk: s(orderPk(project, partitionkey)),
          ordersk: s(sequenceKey(event.sequence, key.pk + key.sk)),
        }),
  }
}

export const tracePk = (project: string, correlationid: string, shard: number): string =>
  `${project}#${correlationid}#${shard}`

export const orderPk = (project: string, partitionkey: string): string => `${project}#${partitionkey}`

export const storedKey = z.object({ pk: text, sk: text })

const storedEvent = z.object({
  event: unpacked,
  content: bytes,
  expects: texts.optional(),
  page: text,
})

/** The identity that the keys of an event's item say; undefined for any other item. */
export function identityOfItem(item: RawItem): Identity | undefined {
  const { pk, sk } = storedKey.parse(item)
  if (!sk.startsWith('event#')) return undefined
  const hash = pk.indexOf('#')
  return { project: pk.slice(0, hash), source: sk.slice('event#'.length), id: pk.slice(hash + 1) }
}

const orderEntry = z.object({ ordersk: text.pipe(z.string().regex(/^\d{16}#/)) })

/** What an entry of the order index says; undefined for any other item. */
export function sequencedOf(item: RawItem): (Identity & { sequence: number }) | undefined {
  const identity = identityOfItem(item)
  const entry = orderEntry.safeParse(item).data
  return identity && entry && { ...identity, sequence: Number(entry.ordersk.slice(0, 16)) }
}

export function storedEventOf(item: RawItem): StoredEvent {
  const identity = identityOfItem(item)
  const { event, content, expects, page } = storedEvent.parse(item)
  const [hour = '', shard = '', ...rest] = page.split('/')
  const id = identity?.id
  const fields = z.looseObject({}).parse(event)
  return {
    event: recordedEvent.parse({ partitionkey: id, correlationid: id, ...fields, ...identity }),
    content: content.toString('hex'),
    expects: expects ?? [],
    page: { hour, shard: Number(shard), page: rest.join('/') },
  }
}

// ---- quarantine

export const quarantineKey = (project: string, digest: string) => ({
  pk: pkOf({ project, id: digest }),
  sk: `quarantine#${digest}`,
})

export const quarantineState = 'quarantined'

export function quarantineItem(entry: Quarantined, expires: number): Item {
  const { project, digest, settled: _, ...rest } = entry
  const { pk, sk } = quarantineKey(project, digest)
  return {
    pk: s(pk),
    sk: s(sk),
    entry: packed(rest),
    ttl: n(expires),
    openpk: s(openPk(project, 'quarantine', shardOf(digest, openShards))),
    opensk: s(`${quarantineState}#${timeKey(entry.received, digest)}`),
  }
}

const quarantined = z.object({
  reason: z.enum(['invalid', 'forged', 'conflict', 'loop', 'unreadable']),
  faults: z.array(z.object({ path: z.string(), expected: z.string(), got: z.string() })),
  door: z.string(),
  received: z.string(),
  raw: z.string(),
  rawref: z.string().optional(),
  type: z.string().optional(),
  source: z.string().optional(),
  id: z.string().optional(),
})

const settlement = z.object({
  state: z.enum(['recorded', 'dropped']),
  by: z.string(),
  at: z.string(),
  note: z.string(),
})

const quarantinedItem = z.object({
  pk: text,
  sk: text,
  entry: unpacked.pipe(quarantined),
  settled: unpacked.pipe(settlement).optional(),
})

export function quarantinedOf(item: RawItem): Quarantined {
  const { pk, sk, entry, settled } = quarantinedItem.parse(item)
  return {
    ...entry,
    project: pk.slice(0, pk.indexOf('#')),
    digest: sk.slice('quarantine#'.length),
    ...(settled === undefined ? {} : { settled }),
  }
}

// ---- pages

/** Begins as no project can, so that no event's id falls into a page's partition. */
export const pagePk = ({ project, hour, shard }: { project: string; hour: string; shard: number }): string =>
  `timeline~${project}#${hour}#${shard}`

export const pageSk = (page: string): string => `page#${page}`

export const pageItem = (page: Page, expires: number): Item => ({
  pk: s(pagePk(page)),
  sk: s(pageSk(page.page)),
  entries: packed(page.entries),
  ttl: n(expires),
})

const pageEntry: z.ZodType<PageEntry> = z.object({
  source: z.string(),
  id: z.string(),
  type: z.string(),
  received: z.string(),
  partitionkey: z.string(),
  correlationid: z.string(),
})

const pageEntries = unpacked.pipe(z.array(pageEntry))

export function pageOfItem(item: RawItem, at: { project: string; hour: string; shard: number }): Page {
  const { project, hour, shard } = at
  const name = { project, hour, shard, page: storedKey.parse(item).sk.slice('page#'.length) }
  try {
    return { ...name, entries: pageEntries.parse(item.entries) }
  } catch {
    // one such page must not hide those around it; whoever has to know is told by the mark
    return { ...name, entries: [], unreadable: true }
  }
}
