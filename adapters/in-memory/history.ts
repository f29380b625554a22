import type {
  Bodies,
  Delivery,
  DeliveryKey,
  History,
  InsertVerdict,
  OpenMark,
  OpenState,
  Page,
  Quarantined,
  StoredEvent,
  Transition,
} from '../../core/ports.ts'
import { eventTypeNamed } from '../../events/catalogue.ts'
import type { Identity } from '../../events/envelope.ts'
import { markOf } from '../commit-rules.ts'
import { afterOf, byBytes, sequenceKey, timeKey } from '../listing.ts'
import { copiedPage, copy } from './copy.ts'

type Marked = DeliveryKey & Delivery

export type InMemoryHistory = History & {
  /** For what is committed with its mark: whether the delivery is done or dropped, or still as seen; and the writing. */
  isFinal(key: DeliveryKey): boolean
  stands(change: Transition): boolean
  write(mark: Marked): void
  /** Keeps the body of an event that a person still has to look at. */
  hold(identity: Identity): Promise<void>
  /** Everything that is there, to be looked at by tests and simulations. */
  all(): { events: StoredEvent[]; deliveries: Marked[]; quarantined: Quarantined[]; pages: Page[] }
}

const eventText = ({ project, source, id }: Identity): string => JSON.stringify([project, id, source])
const deliveryText = (key: DeliveryKey): string =>
  JSON.stringify([key.project, key.id, key.subscriber, key.replay, key.source])

/** These are kept for a person. */
export const isHeld = (state: Delivery['state']): state is 'parked' | 'dead' =>
  state === 'parked' || state === 'dead'

const isOpen = (state: Delivery['state']): state is OpenState => state === 'retrying' || isHeld(state)

/**
 * History in the memory of this process: nothing expires, and indexes are up to date at once.
 * Given bodies, it keeps those of held events as the real one does.
 */
export function inMemoryHistory({
  bodies,
}: {
  bodies?: Pick<Bodies, 'get' | 'put'> | undefined
} = {}): InMemoryHistory {
  const events = new Map<string, StoredEvent>()
  const deliveries = new Map<string, Marked>()
  const notes = new Map<string, Set<string>>()
  const quarantine = new Map<string, Quarantined>()
  const pages = new Map<string, Page>()

  function insert<T>(into: Map<string, T>, key: string, item: T): InsertVerdict {
    if (into.has(key)) return { verdict: 'exists' }
    into.set(key, copy(item))
    return { verdict: 'inserted' }
  }

  const isFinal = (key: DeliveryKey): boolean => {
    const state = deliveries.get(deliveryText(key))?.state
    return state === 'done' || state === 'dropped'
  }
  const stands = ({ key, seen }: Transition): boolean => {
    const mark = deliveries.get(deliveryText(key))
    return (
      !isFinal(key) &&
      mark?.state === seen?.state &&
      mark?.changed === seen?.changed &&
      mark?.resumed === seen?.resumed
    )
  }
  /** `retention` is for the expiry alone and is not read back. */
  const bare = ({ retention: _, ...mark }: Marked): Marked => mark
  const write = (mark: Marked): void => void deliveries.set(deliveryText(mark), copy(bare(mark)))

  async function hold(identity: Identity): Promise<void> {
    const dataref = events.get(eventText(identity))?.event.dataref
    const body = dataref === undefined ? undefined : await bodies?.get(dataref)
    if (dataref !== undefined && body !== undefined) await bodies?.put(`held/${dataref}`, body)
  }

  const openOf = (project: string, subscriber: string) =>
    [...deliveries].flatMap(([text, mark]) =>
      mark.project === project && mark.subscriber === subscriber && isOpen(mark.state)
        ? [
            {
              key: `${mark.state}#${timeKey(mark.changed, text)}`,
              item: { ...mark, state: mark.state },
            },
          ]
        : [],
    )

  const openMarkOf = (mark: Marked & { state: OpenState }): OpenMark => {
    const { project, source, id, subscriber, replay, state, changed } = mark
    const type = isHeld(state) ? events.get(eventText(mark))?.event.type : undefined
    return { project, source, id, subscriber, replay, state, changed, type }
  }

  const sorted = <T extends { key: string }>(items: readonly T[], order: 1 | -1 = 1): T[] =>
    items.toSorted((a, b) => order * byBytes(a.key, b.key))

  return {
    isFinal,
    stands,
    write,
    hold,
    all: () =>
      copy({
        events: [...events.values()],
        deliveries: [...deliveries.values()],
        quarantined: [...quarantine.values()],
        pages: [...pages.values()],
      }),

    async putPage(page) {
      pages.set(JSON.stringify([page.project, page.hour, page.shard, page.page]), copy(page))
    },
    async insertEvents(given) {
      return given.map((stored) => insert(events, eventText(stored.event), stored))
    },
    async getEvents(identities) {
      return identities.map((identity) => copy(events.get(eventText(identity))))
    },
    async fate({ project, source, id }) {
      const own = [...deliveries.values()]
        .filter((mark) => mark.project === project && mark.source === source && mark.id === id)
        .sort((a, b) => byBytes(`${a.subscriber}#${a.replay}`, `${b.subscriber}#${b.replay}`))
      return {
        stored: copy(events.get(eventText({ project, source, id }))),
        deliveries: own.map(copy).map((mark) => {
          const noted = new Set([...(mark.notes ?? []), ...(notes.get(deliveryText(mark)) ?? [])])
          return noted.size === 0 ? mark : { ...mark, notes: [...noted].sort() }
        }),
      }
    },
    async sourcesOf(project, id) {
      return [...events.values()]
        .filter(({ event }) => event.project === project && event.id === id)
        .map(({ event }) => event.source)
        .sort(byBytes)
    },

    async getDeliveries(keys) {
      return keys.map((key) => {
        const mark = deliveries.get(deliveryText(key))
        if (mark === undefined) return undefined
        const { project: _, source: __, id: ___, subscriber: ____, replay: _____, ...delivery } = mark
        return copy(delivery)
      })
    },
    async insertDeliveries(marks) {
      return marks.map((mark) => insert(deliveries, deliveryText(mark), bare(mark)))
    },
    async mark(key, delivery) {
      if (isHeld(delivery.state)) await hold(key)
      if (isFinal(key)) return false
      write(markOf(key, delivery))
      return true
    },
    async transition(change) {
      const { key, next } = change
      if (isHeld(next.state)) await hold(key)
      if (!stands(change)) return false
      write(markOf(key, next))
      return true
    },
    async note(key, text) {
      const text_ = deliveryText(key)
      notes.set(text_, new Set([...(notes.get(text_) ?? []), text]))
    },

    async quarantine(entry) {
      const key = JSON.stringify([entry.project, entry.digest])
      if (quarantine.get(key)?.settled !== undefined) quarantine.delete(key)
      return insert(quarantine, key, entry).verdict === 'inserted'
    },
    async settleQuarantined(project, digest, settled) {
      const key = JSON.stringify([project, digest])
      const entry = quarantine.get(key)
      if (entry === undefined || entry.settled !== undefined) return false
      quarantine.set(key, copy({ ...entry, settled }))
      return true
    },
    async getQuarantined(project, digest) {
      return copy(quarantine.get(JSON.stringify([project, digest])))
    },

    async pages({ project, hour, shard, after, limit }) {
      const found = [...pages.values()].filter(
        (page) =>
          page.project === project &&
          page.hour === hour &&
          page.shard === shard &&
          (after === undefined || byBytes(page.page, after) > 0),
      )
      return copy(found.sort((a, b) => byBytes(a.page, b.page)).slice(0, limit))
    },
    async openMarks({ project, subscriber, state, since, cursor, limit }) {
      const after = afterOf(cursor)
      const from = state === undefined ? '' : `${state}#${since ?? ''}`
      const found = openOf(project, subscriber).filter(
        ({ key, item }) =>
          (state === undefined || item.state === state) &&
          key >= from &&
          (after === undefined || key > after),
      )
      const { items, next } = copiedPage(sorted(found), limit)
      return { items: items.map(openMarkOf), next }
    },
    async quarantined({ project, cursor, limit }) {
      const after = afterOf(cursor)
      const found = [...quarantine.values()]
        .filter((entry) => entry.project === project && entry.settled === undefined)
        .map((item) => ({ key: `quarantined#${timeKey(item.received, item.digest)}`, item }))
        .filter(({ key }) => after === undefined || key < after)
      return copiedPage(sorted(found, -1), limit)
    },
    async story({ project, correlationid, cursor, limit }) {
      const after = afterOf(cursor)
      const found = [...events].flatMap(([text, { event }]) =>
        event.project === project && event.correlationid === correlationid && event.id !== correlationid
          ? [
              {
                key: timeKey(event.received, text),
                item: { project, source: event.source, id: event.id },
              },
            ]
          : [],
      )
      return copiedPage(sorted(found.filter(({ key }) => after === undefined || key > after)), limit)
    },
    async byKey({ project, partitionkey, from = 0, cursor, limit }) {
      const after = afterOf(cursor)
      const found = [...events].flatMap(([text, { event }]) => {
        const { source, id, sequence, type } = event
        const listed = sequence !== undefined && sequence >= from && eventTypeNamed(type)?.ordered === true
        return listed && event.project === project && event.partitionkey === partitionkey
          ? [{ key: sequenceKey(sequence, text), item: { project, source, id, sequence } }]
          : []
      })
      return copiedPage(sorted(found.filter(({ key }) => after === undefined || key > after)), limit)
    },
  }
}
