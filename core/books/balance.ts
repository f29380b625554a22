import type { Route } from '../../events/route.ts'
import { atMost } from '../at-most.ts'
import { Failure } from '../errors.ts'
import { depthsOnce, lastMoved, mayBeQueued } from '../gate/missing.ts'
import type {
  Clock,
  Delivery,
  DeliveryKey,
  Fate,
  History,
  Page,
  PageEntry,
  Queues,
  StoredEvent,
} from '../ports.ts'
import { ago } from '../time.ts'
import { stepsBetween } from '../timeline-steps.ts'
import { emptyLine, emptySheet, type Line, mostNamed, type Sheet } from './balance-sheet.ts'
import type { ShardPlaces } from './sweep-cursor.ts'

export type BalanceDeps = {
  history: Pick<History, 'pages' | 'fate' | 'quarantined'>
  queues: Pick<Queues, 'depth'>
  clock: Clock
  routes: readonly Route[]
}

export type BalanceQuery = {
  project: string
  /** written at this time or later, and before that one; ISO 8601, UTC, milliseconds */
  since: string
  until: string
  /** milliseconds; what is younger may still be on its way */
  patience: number
  /** the books of one replay: its deliveries alone */
  replay?: string | undefined
  /** of the four of the timeline only this one, so that four may count side by side; quarantine comes with the first */
  shard?: number | undefined
}

/** How far a slice came: pages read by shard; when all are read, quarantine. */
export type BalancePlace = { read: ShardPlaces } | { quarantine?: string | undefined }

export type Slice = { sheet: Sheet; next: BalancePlace | undefined }

/** Reads of events that are under way at once. */
const side = 50
/** Each may bring 64 KB. */
const quarantinedPerRead = 50

type Pass = {
  query: BalanceQuery
  now: string
  deps: BalanceDeps
  depthOf: (queue: string) => Promise<number>
  limited: <T>(action: () => Promise<T>) => Promise<T>
  sheet: Sheet
  isOver: () => boolean
}

/**
 * One slice of the books of a window: begins at `from` (undefined: at the beginning) and nothing new after so many
 * `seconds`. `next` is where to go on. Goes by what each event expected when it was recorded.
 */
export async function balanceSlice(
  query: BalanceQuery,
  from: BalancePlace | undefined,
  deps: BalanceDeps,
  seconds: number,
): Promise<Slice> {
  const now = deps.clock()
  const deadline = Date.parse(now) + seconds * 1000
  const sheet = emptySheet()
  const pass: Pass = {
    query,
    now,
    deps,
    depthOf: depthsOnce(deps.queues),
    limited: atMost(side),
    sheet,
    isOver: () => Date.parse(deps.clock()) > deadline,
  }
  const { since } = query
  const place = from ?? { read: [since, since, since, since] }
  if ('read' in place) {
    const { read, isWhole } = await readTimeline(place.read, pass)
    if (!isWhole) return { sheet, next: { read } }
  }
  if (query.replay !== undefined || (query.shard ?? 0) !== 0) return { sheet, next: undefined }
  const cursor = 'read' in place ? undefined : place.quarantine
  return { sheet, next: await readQuarantine(cursor, pass) }
}

async function readTimeline(from: ShardPlaces, pass: Pass): Promise<{ read: ShardPlaces; isWhole: boolean }> {
  const { query, deps } = pass
  const read = [...from]
  let isWhole = true
  await Promise.all(
    from.map(async (after, shard) => {
      if ((query.shard ?? shard) !== shard) return
      for await (const step of stepsBetween(
        after,
        query.until,
        { project: query.project, shard },
        deps.history,
      )) {
        if (pass.isOver()) {
          isWhole = false
          return
        }
        if (step.page !== undefined) await countPage(step.page, pass)
        read[shard] = step.reached
      }
      read[shard] = query.until
    }),
  )
  return { read, isWhole }
}

async function countPage(page: Page, pass: Pass): Promise<void> {
  if (page.unreadable) pass.sheet.events.unreadable++
  // as the sweep has it: a page of that very moment is for the next one
  const isYoung = page.page > `${ago(pass.now, pass.query.patience)}~`
  await Promise.all(page.entries.map((entry) => pass.limited(() => countEntry(entry, page, isYoung, pass))))
}

async function countEntry(entry: PageEntry, page: Page, isYoung: boolean, pass: Pass): Promise<void> {
  const { sheet } = pass
  try {
    const fate = await fateOf(entry, pass, false)
    const { stored } = fate
    if (stored === undefined) sheet.events.skipped++
    else if (!isOf(page, stored)) sheet.events.again++
    else if (pass.query.replay !== undefined) countReplay(fate.deliveries, pass.query.replay, sheet)
    else {
      await countDeliveries(stored, fate.deliveries, isYoung, pass)
      countEvent(stored, sheet)
    }
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'NewerVersion')) throw error
    sheet.events.unreadable++
  }
}

const isOf = ({ hour, shard, page }: Page, { page: own }: StoredEvent): boolean =>
  own.page === page && own.shard === shard && own.hour === hour

const fateOf = (
  { source, id }: Pick<PageEntry, 'source' | 'id'>,
  { query: { project }, deps }: Pass,
  consistent: boolean,
): Promise<Fate> => deps.history.fate({ project, source, id }, { consistent })

function countEvent({ event, expects }: StoredEvent, { events }: Sheet): void {
  events.recorded++
  if (event.unknown) events.unknown++
  if (event.duplicateof !== undefined) events.duplicates++
  if (expects.length === 0) events.expectingNobody++
}

type Deliveries = readonly (DeliveryKey & Delivery)[]

async function countDeliveries(
  stored: StoredEvent,
  known: Deliveries,
  isYoung: boolean,
  pass: Pass,
): Promise<void> {
  const { sheet } = pass
  const { event, expects } = stored
  const gone = isYoung ? [] : await goneOf(stored, known, pass)
  // their queues were seen empty after the marks were read, so they may have been handled between the two
  const deliveries = gone.length === 0 ? known : (await fateOf(event, pass, true)).deliveries
  const live = liveOf(deliveries)
  for (const subscriber of expects) {
    const mark = live.find((delivery) => delivery.subscriber === subscriber)
    const isLost = gone.includes(subscriber) && isUnsettled(mark)
    const standing = mark?.state ?? (isLost ? 'missing' : 'inFlight')
    count(subscriber, 'expected', sheet)
    count(subscriber, standing, sheet)
    if (!isLost) continue
    const isStalled = standing === 'retrying'
    if (isStalled) count(subscriber, 'stalled', sheet)
    nameLost({ ...event, subscriber, standing: isStalled ? 'stalled' : 'missing' }, sheet)
  }
  for (const { subscriber } of live) if (!expects.includes(subscriber)) count(subscriber, 'unexpected', sheet)
  sheet.replayed += deliveries.length - live.length
  sheet.redriven += live.filter(({ resumed = 0 }) => resumed > 0).length
}

/** The expected subscribers that have settled nothing, and in whose queue it cannot lie. */
async function goneOf(
  { event, expects }: StoredEvent,
  deliveries: Deliveries,
  { now, query, depthOf, deps: { routes } }: Pass,
): Promise<string[]> {
  const live = liveOf(deliveries)
  const settled = live.filter((mark) => !isUnsettled(mark))
  const open = expects.filter((name) => settled.every(({ subscriber }) => subscriber !== name))
  const gone: string[] = []
  for (const subscriber of open) {
    const mark = live.find((delivery) => delivery.subscriber === subscriber)
    // sent again a moment ago
    if (mark !== undefined && mark.changed > ago(now, query.patience)) continue
    const moved = lastMoved(event.received, mark)
    if (!(await mayBeQueued(subscriber, moved, { now, routes, depthOf }))) gone.push(subscriber)
  }
  return gone
}

const liveOf = (deliveries: Deliveries): Deliveries => deliveries.filter(({ replay }) => replay === '')

const isUnsettled = (mark: Delivery | undefined): boolean => mark === undefined || mark.state === 'retrying'

function countReplay(deliveries: Deliveries, replay: string, sheet: Sheet): void {
  const own = deliveries.filter((delivery) => delivery.replay === replay)
  if (own.length > 0) sheet.events.recorded++
  for (const { subscriber, state, resumed = 0 } of own) {
    count(subscriber, 'expected', sheet)
    count(subscriber, state, sheet)
    sheet.replayed++
    if (resumed > 0) sheet.redriven++
  }
}

function count(subscriber: string, what: keyof Line, sheet: Sheet): void {
  const line = sheet.subscribers[subscriber] ?? emptyLine()
  sheet.subscribers[subscriber] = line
  line[what]++
  sheet.total[what]++
}

function nameLost(
  { source, id, subscriber, type, received, standing }: Sheet['lost'][number],
  sheet: Sheet,
): void {
  if (sheet.lost.length < mostNamed) sheet.lost.push({ source, id, subscriber, type, received, standing })
  else sheet.lostMore++
}

/** What waits in quarantine and came within the window, newest first; answers where to go on. */
async function readQuarantine(from: string | undefined, pass: Pass): Promise<BalancePlace | undefined> {
  const { project, since, until } = pass.query
  let cursor = from
  do {
    if (pass.isOver()) return { quarantine: cursor }
    const { items, next } = await pass.deps.history.quarantined({
      project,
      cursor,
      limit: quarantinedPerRead,
    })
    for (const { reason, received } of items)
      if (received >= since && received < until)
        pass.sheet.quarantined[reason] = (pass.sheet.quarantined[reason] ?? 0) + 1
    cursor = items.some(({ received }) => received < since) ? undefined : next
  } while (cursor !== undefined)
  return undefined
}
