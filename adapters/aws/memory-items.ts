import * as z from 'zod'
import type { MemoryRecord, MemoryWrite, OutboxItem, RecordKey } from '../../core/ports.ts'
import { listKey, shardOf } from '../listing.ts'
import {
  type Item,
  json,
  n,
  number,
  packed,
  type RawItem,
  s,
  text,
  toAttribute,
  unpacked,
} from './attributes.ts'

/** How records and what waits to be sent lie in the memory table. */

export const recordKey = ({ project, kind, name }: RecordKey) => ({
  pk: `${project}#${kind}#${name}`,
  sk: 'record',
})

export const listPk = (project: string, list: string): string => `${project}#${list}`

export function recordItem({ place, version, value, expires, ...key }: MemoryWrite): Item {
  const { pk, sk } = recordKey(key)
  return {
    pk: s(pk),
    sk: s(sk),
    version: n(version),
    value: toAttribute(value),
    ...(expires === undefined ? {} : { ttl: n(Math.floor(Date.parse(expires) / 1000)) }),
    ...(place === undefined
      ? {}
      : { listpk: s(listPk(key.project, place.list)), listsk: s(listKey({ ...key, place })) }),
  }
}

const storedRecord = z.object({
  pk: text,
  version: number,
  value: json,
  listpk: text.optional(),
  listsk: text.optional(),
  ttl: number.optional(),
})

export function recordOf(item: RawItem): MemoryRecord {
  const { pk, version, value, listpk, listsk, ttl } = storedRecord.parse(item)
  const [project = '', kind = '', ...rest] = pk.split('#')
  const name = rest.join('#')
  const place =
    listpk === undefined || listsk === undefined
      ? undefined
      : { list: listpk.slice(project.length + 1), order: listsk.slice(0, -` ${kind} ${name}`.length) }
  const expires = ttl === undefined ? undefined : new Date(ttl * 1000).toISOString()
  return { project, kind, name, version, value, place, expires }
}

// ---- outbox

export const outboxShards = 4

export const outboxPk = (project: string, partitionkey: string): string => `outbox#${project}#${partitionkey}`

/** The project and partition key of an outbox item's `pk`; undefined for any other item's. */
export function outboxKeyOf(pk: string | undefined): { project: string; partitionkey: string } | undefined {
  const [, project, partitionkey] = /^outbox#([^#]+)#(.+)$/s.exec(pk ?? '') ?? []
  return project === undefined || partitionkey === undefined ? undefined : { project, partitionkey }
}

export const outboxListPk = (project: string, shard: number): string => listPk(project, `outbox#${shard}`)

const padded = (number: number): string => String(number).padStart(16, '0')

export const outboxKey = ({ project, partitionkey, sequence, index }: OutboxItem) => ({
  pk: outboxPk(project, partitionkey),
  sk: `${padded(sequence)}#${String(index).padStart(3, '0')}`,
})

export function outboxItem(item: OutboxItem, written: string): Item {
  const { pk, sk } = outboxKey(item)
  return {
    pk: s(pk),
    sk: s(sk),
    frame: packed(item.frame),
    listpk: s(outboxListPk(item.project, shardOf(item.partitionkey, outboxShards))),
    listsk: s(`${written}#${sk}`),
  }
}

const storedOutbox = z.object({ sk: text, frame: unpacked })

export function outboxItemOf(item: RawItem, project: string, partitionkey: string): OutboxItem {
  const { sk, frame } = storedOutbox.parse(item)
  const [sequence, index] = sk.split('#')
  return { project, partitionkey, sequence: Number(sequence), index: Number(index), frame }
}
