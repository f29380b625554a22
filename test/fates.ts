import type { FatePorts } from '../core/books/fate.ts'
import type { Delivery, DeliveryKey, MemoryRecord, RecordKey, StoredEvent } from '../core/ports.ts'
import type { Identity, RecordedEvent } from '../events/envelope.ts'

/** Histories for tests, written down as lists of events with what is known of them. */

type Told = Omit<DeliveryKey, keyof Identity> & Delivery
type Known = { stored: StoredEvent; deliveries: readonly (DeliveryKey & Delivery)[] }

export const event = (id: string, given: Partial<RecordedEvent> = {}): RecordedEvent => ({
  specversion: '1.0',
  project: 'main',
  source: 's',
  id,
  type: 'a.b',
  time: '2026-01-01T12:00:00.000Z',
  received: '2026-01-01T12:00:00.000Z',
  door: 'http',
  partitionkey: id,
  correlationid: id,
  hops: 0,
  actor: 'user:k',
  data: {},
  ...given,
})

export const stored = (
  of: RecordedEvent,
  { expects = [], deliveries = [] }: { expects?: readonly string[]; deliveries?: readonly Told[] } = {},
): Known => ({
  stored: { event: of, content: 'c', expects, page: { hour: '2026-01-01T12', shard: 0, page: 'p' } },
  deliveries: deliveries.map((delivery) => ({
    project: of.project,
    source: of.source,
    id: of.id,
    ...delivery,
  })),
})

/** `story` answers pages of `limit`; its cursor is a number. */
export function ports(known: readonly Known[], records: readonly MemoryRecord[] = []): FatePorts {
  const at = ({ project, source, id }: Identity) =>
    known.find(({ stored: { event: e } }) => e.project === project && e.source === source && e.id === id)
  return {
    history: {
      fate: async (identity) => at(identity) ?? { stored: undefined, deliveries: [] },
      getEvents: async (identities) => identities.map((identity) => at(identity)?.stored),
      sourcesOf: async (project, id) =>
        known
          .filter(({ stored: { event: e } }) => e.project === project && e.id === id)
          .map(({ stored: { event: e } }) => e.source),
      story: async ({ project, correlationid, cursor = '0', limit }) => {
        const items = known
          .map(({ stored: { event: e } }) => e)
          .filter((e) => e.project === project && e.correlationid === correlationid && e.id !== correlationid)
          .map(({ source, id }) => ({ project, source, id }))
        const from = Number(cursor)
        const next = from + limit < items.length ? String(from + limit) : undefined
        return { items: items.slice(from, from + limit), next }
      },
    },
    memory: {
      get: async ({ project, kind, name }: RecordKey) =>
        records.find((r) => r.project === project && r.kind === kind && r.name === name),
    },
  }
}
