import { randomBytes, randomUUID } from 'node:crypto'
import { contentDigest } from '../../core/identity.ts'
import type {
  Delivery,
  DeliveryKey,
  MemoryWrite,
  OutboxItem,
  Quarantined,
  StoredEvent,
} from '../../core/ports.ts'
import type { Identity, RecordedEvent } from '../../events/envelope.ts'

/** A project that no other test uses, so that one store serves them all. */
export const freshProject = (): string => `p-${randomUUID()}`

/** The n-th minute of an hour of 2026. */
export const minute = (n: number): string => new Date(Date.UTC(2026, 0, 1, 12, n)).toISOString()

export function sample(event: Partial<RecordedEvent> & { project: string }, more: Partial<StoredEvent> = {}) {
  const id = event.id ?? randomUUID()
  const whole: RecordedEvent = {
    specversion: '1.0',
    source: 'https://github.com/octo/hello',
    id,
    type: 'github.push',
    time: minute(0),
    received: minute(0),
    door: 'http',
    dataversion: 1,
    data: { ref: 'refs/heads/main' },
    partitionkey: id,
    correlationid: id,
    hops: 0,
    actor: 'service:webhook',
    ...event,
  }
  const stored: StoredEvent = {
    event: whole,
    content: contentDigest(whole),
    expects: ['analyze-push', 'publish'],
    page: { hour: '2026-01-01T12', shard: 2, page: '2026-01-01T12:00:00.000Z~a/b' },
    ...more,
  }
  return stored
}

export const keyOf = (event: Identity, subscriber = 'analyze-push', replay = ''): DeliveryKey => ({
  project: event.project,
  source: event.source,
  id: event.id,
  subscriber,
  replay,
})

export const delivery = (more: Partial<Delivery> = {}): Delivery => ({
  state: 'done',
  attempts: 1,
  started: minute(1),
  changed: minute(2),
  emitted: [],
  ...more,
})

export const record = (project: string, name: string, more: Partial<MemoryWrite> = {}): MemoryWrite => ({
  project,
  kind: 'build',
  name,
  version: 1,
  value: { name },
  ...more,
})

export const waiting = (
  project: string,
  sequence: number,
  index: number,
  partitionkey = 'octo/hello',
): OutboxItem => ({
  project,
  partitionkey,
  sequence,
  index,
  frame: { type: 'build.status-changed', sequence, index, text: 'ü' },
})

export const quarantined = (project: string, n: number, more: Partial<Quarantined> = {}): Quarantined => ({
  project,
  digest: n.toString(16).padStart(64, '0'),
  reason: 'invalid',
  faults: [{ path: 'data.ref', expected: 'string', got: 'number' }],
  door: 'bus',
  received: minute(n),
  raw: `{"n":${n}, "ü": "🦊"`,
  ...more,
})

/** A change of nothing, to be added to. */
export const nothing = { writes: [], outbox: [] }

/** Text that does not compress, of so many bytes. */
export const noise = (size: number): string => randomBytes(size).toString('base64').slice(0, size)

/** Everything of a list, page by page. */
export async function allPages<Item>(
  page: (cursor: string | undefined) => Promise<{ items: readonly Item[]; next: string | undefined }>,
): Promise<Item[][]> {
  const pages: Item[][] = []
  let cursor: string | undefined
  do {
    const { items, next } = await page(cursor)
    pages.push([...items])
    if (pages.length > 200) throw new Error('a list without an end')
    cursor = next
  } while (cursor !== undefined)
  return pages
}
