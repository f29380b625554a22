import { atMost } from '../at-most.ts'
import { Failure } from '../errors.ts'
import { identityText } from '../identity.ts'
import type { Clock, Delivery, History, Page, PageEntry, StoredEvent } from '../ports.ts'
import { stepsBetween } from '../timeline-steps.ts'
import type { ShardPlaces } from './sweep-cursor.ts'

/** What went where in a window, as counts. Rows of several slices are added up by `summed`. */
export type Measured = {
  /** events recorded by what let them in */
  arrived: readonly { door: string; type: string; count: number }[]
  /** deliveries that the gate sent for them */
  sent: readonly { door: string; type: string; subscriber: string; count: number }[]
  /** deliveries that were tried: `failed` of their `attempts` did not end in `done` */
  handled: readonly { subscriber: string; type: string; count: number; attempts: number; failed: number }[]
  /** events that `by` emitted when it handled one of the type `per`, by how they came to the gate */
  emitted: readonly { by: string; per: string; door: string; type: string; count: number }[]
}

export type RatesDeps = { history: Pick<History, 'pages' | 'fate' | 'getEvents'>; clock: Clock }

export type RatesQuery = {
  project: string
  /** recorded at this time or later, and before that one; ISO 8601, UTC, milliseconds */
  since: string
  until: string
  /** of the four of the timeline only this one, so that four may count side by side */
  shard?: number | undefined
}

type Counted = { events: number; left: number; measured: Measured }
export type RatesSlice = Counted & { next: ShardPlaces | undefined }

/** Reads of events that are under way at once. */
const side = 50

/**
 * One slice of what went where: begins at `from` (undefined: at the beginning) and nothing new after so many `seconds`;
 * `next` is where to go on. Reads the fate of each event, which is one query, eventually consistent, and once more for
 * each cause that this slice has not come by. `left` are those that were not there or could not be read.
 */
export async function ratesSlice(
  query: RatesQuery,
  from: ShardPlaces | undefined,
  deps: RatesDeps,
  seconds: number,
): Promise<RatesSlice> {
  const deadline = Date.parse(deps.clock()) + seconds * 1000
  const pass: Pass = {
    query,
    deps,
    types: new Map(),
    limited: atMost(side),
    rows: noRows(),
    events: 0,
    left: 0,
  }
  const read = [...(from ?? [query.since, query.since, query.since, query.since])]
  let isWhole = true
  await Promise.all(
    read.map(async (after, shard) => {
      if ((query.shard ?? shard) !== shard) return
      const at = { project: query.project, shard }
      for await (const step of stepsBetween(after, query.until, at, deps.history)) {
        if (Date.parse(deps.clock()) > deadline) {
          isWhole = false
          return
        }
        if (step.page !== undefined) await countPage(step.page, pass)
        read[shard] = step.reached
      }
      read[shard] = query.until
    }),
  )
  const { events, left, rows } = pass
  return { events, left, measured: summed([rows]), next: isWhole ? undefined : read }
}

/** What several slices come to. */
export function summed(slices: readonly Measured[]): Measured {
  return {
    arrived: added(slices.flatMap(({ arrived }) => arrived)),
    sent: added(slices.flatMap(({ sent }) => sent)),
    handled: added(slices.flatMap(({ handled }) => handled)),
    emitted: added(slices.flatMap(({ emitted }) => emitted)),
  }
}

/** Rows that say the same of something, with their numbers added up; in the order of what they say. */
function added<Row extends { count: number }>(rows: readonly Row[]): Row[] {
  const byName = Map.groupBy(rows, (row) =>
    JSON.stringify(Object.entries(row).filter(([, value]) => typeof value === 'string')),
  )
  return [...byName]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, [first, ...others]]) => (first === undefined ? [] : [others.reduce(plus, first)]))
}

const plus = <Row extends object>(one: Row, other: Row): Row => ({
  ...one,
  ...Object.fromEntries(
    Object.entries(one).flatMap(([name, value]) => {
      const more = new Map<string, unknown>(Object.entries(other)).get(name)
      return typeof value === 'number' && typeof more === 'number' ? [[name, value + more]] : []
    }),
  ),
})

type Rows = { [Name in keyof Measured]: Measured[Name][number][] }
const noRows = (): Rows => ({ arrived: [], sent: [], handled: [], emitted: [] })

type Pass = {
  query: RatesQuery
  deps: RatesDeps
  /** of events that were come by, by identity */
  types: Map<string, string | undefined>
  limited: <T>(action: () => Promise<T>) => Promise<T>
  rows: Rows
  events: number
  left: number
}

async function countPage(page: Page, pass: Pass): Promise<void> {
  const { project } = pass.query
  for (const { source, id, type } of page.entries) pass.types.set(identityText({ project, source, id }), type)
  await Promise.all(page.entries.map((entry) => pass.limited(() => countEntry(entry, page, pass))))
  // what was counted is added up at once: rows are by what they say, not by event
  pass.rows = { ...noRows(), ...mutable(summed([pass.rows])) }
}

const mutable = ({ arrived, sent, handled, emitted }: Measured): Rows => ({
  arrived: [...arrived],
  sent: [...sent],
  handled: [...handled],
  emitted: [...emitted],
})

async function countEntry({ source, id }: PageEntry, page: Page, pass: Pass): Promise<void> {
  const { query, deps } = pass
  try {
    const { stored, deliveries } = await deps.history.fate(
      { project: query.project, source, id },
      { consistent: false },
    )
    if (stored === undefined) pass.left++
    // an attempt to record it that was begun before listed it too: it counts where it stands
    else if (stored.page.page === page.page)
      await countEvent(
        stored,
        deliveries.filter(({ replay }) => replay === ''),
        pass,
      )
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'NewerVersion')) throw error
    pass.left++
  }
}

async function countEvent(
  { event, expects }: StoredEvent,
  deliveries: readonly (Delivery & { subscriber: string })[],
  pass: Pass,
): Promise<void> {
  const { door, type, cause } = event
  const per = cause && (await typeOf({ project: event.project, ...cause }, pass))
  const { arrived, sent, handled, emitted } = pass.rows
  pass.events++
  arrived.push({ door, type, count: 1 })
  for (const subscriber of expects) sent.push({ door, type, subscriber, count: 1 })
  for (const { subscriber, attempts, state } of deliveries)
    if (attempts > 0)
      handled.push({
        ...{ subscriber, type, count: 1, attempts },
        failed: state === 'done' ? attempts - 1 : attempts,
      })
  if (cause !== undefined && per !== undefined) emitted.push({ by: cause.by, per, door, type, count: 1 })
}

/** undefined: it is not there any more */
async function typeOf(
  { project, source, id }: { project: string; source: string; id: string },
  { types, deps }: Pass,
): Promise<string | undefined> {
  const key = identityText({ project, source, id })
  if (!types.has(key))
    types.set(key, (await deps.history.getEvents([{ project, source, id }]))[0]?.event.type)
  return types.get(key)
}
