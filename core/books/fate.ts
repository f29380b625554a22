import type { Identity, RecordedEvent } from '../../events/envelope.ts'
import { type Run, runOf, runRecord } from '../domain/run.ts'
import { Failure } from '../errors.ts'
import { identityText, runName } from '../identity.ts'
import type { Delivery, DeliveryKey, DeliveryState, Fate, History, Memory, StoredEvent } from '../ports.ts'

export type FatePorts = {
  history: Pick<History, 'fate' | 'getEvents' | 'sourcesOf' | 'story'>
  memory: Pick<Memory, 'get'>
}

/** An event as lists and trees show it: all but its data. */
export type EventSummary = Omit<RecordedEvent, 'data' | 'specversion' | 'extensions'>

/** A delivery, or the place of one: an expected subscriber that has none yet is `waiting`. */
export type ShownDelivery = {
  subscriber: string
  replay: string
  state: DeliveryState | 'waiting'
  /** false: nobody expected it when the event was recorded; a replay */
  expected: boolean
  attempts: number
  started?: string | undefined
  changed?: string | undefined
  reason?: string | undefined
  notes?: readonly string[] | undefined
  /** the newest run of a workflow that it started */
  run?: ShownRun | undefined
}

/** `starting`: asked for, and nothing heard of it yet */
export type ShownRun = Pick<Run, 'workflow' | 'run' | 'attempt' | 'ended' | 'error'> & {
  status: Run['status'] | 'starting'
  started?: string | undefined
}

export const summary = (event: RecordedEvent): EventSummary => {
  const { data: _, specversion: __, extensions: ___, ...rest } = event
  return rest
}

/**
 * The one event that an id stands for.
 * @throws Failure NotFound; Conflict when several sources sent this id and none is named, with the sources as faults.
 */
export async function findIdentity(
  { history }: Pick<FatePorts, 'history'>,
  project: string,
  id: string,
  source: string | undefined,
): Promise<Identity> {
  if (source !== undefined) return { project, source, id }
  const sources = await history.sourcesOf(project, id)
  const [only] = sources
  if (only === undefined) throw new Failure('NotFound', `no event ${id} in project ${project}`)
  if (sources.length > 1) throw severalSources(id, sources)
  return { project, source: only, id }
}

export const severalSources = (id: string, sources: readonly string[]): Failure =>
  new Failure('Conflict', `${sources.length} sources sent an event ${id}: name one`, {
    faults: sources.map((source) => ({ path: 'query.source', expected: source, got: 'nothing' })),
  })

/** @throws Failure NotFound */
export async function fateOf(
  { history }: FatePorts,
  identity: Identity,
): Promise<Fate & { stored: StoredEvent }> {
  const { stored, deliveries } = await history.fate(identity)
  if (stored === undefined)
    throw new Failure(
      'NotFound',
      `no event ${identity.id} from ${identity.source} in project ${identity.project}`,
    )
  return { stored, deliveries }
}

/** The deliveries of an event, and a `waiting` one for each expected subscriber that has none; live ones first. */
export async function shownDeliveries(
  { memory }: Pick<FatePorts, 'memory'>,
  { expects }: StoredEvent,
  deliveries: Fate['deliveries'],
): Promise<ShownDelivery[]> {
  const live = new Set(deliveries.filter(({ replay }) => replay === '').map(({ subscriber }) => subscriber))
  const waiting = expects
    .filter((subscriber) => !live.has(subscriber))
    .map((subscriber): ShownDelivery => {
      return { subscriber, replay: '', state: 'waiting', expected: true, attempts: 0 }
    })
  const known = await Promise.all(
    deliveries.map(async (delivery): Promise<ShownDelivery> => {
      const { subscriber, replay, state, attempts, started, changed, reason, notes } = delivery
      const expected = replay === '' && expects.includes(subscriber)
      const run = await newestRun(memory, delivery)
      return { subscriber, replay, state, expected, attempts, started, changed, reason, notes, run }
    }),
  )
  return [...known, ...waiting].sort(
    (a, b) => compare(a.replay, b.replay) || compare(a.subscriber, b.subscriber),
  )
}

/** more attempts than anybody retries */
const attemptsLookedFor = 50

/** A delivery names the run that it started; those that somebody retried have names that follow from it. */
async function newestRun(
  memory: Pick<Memory, 'get'>,
  delivery: DeliveryKey & Delivery,
): Promise<ShownRun | undefined> {
  const { project, subscriber: workflow, replay } = delivery
  if (delivery.run === undefined) return undefined
  let newest: Run | undefined
  for (let attempt = 1; attempt <= attemptsLookedFor; attempt++) {
    const name = runName(delivery, workflow, replay, attempt)
    const run = runOf(await memory.get(runRecord(project, workflow, name)))
    if (run === undefined) break
    newest = run
  }
  if (newest === undefined) return { workflow, run: delivery.run, attempt: 1, status: 'starting' }
  const { run, attempt, status, started, ended, error } = newest
  return { workflow, run, attempt, status, started, ended, error }
}

/** The ids that a delivery says it emitted. */
export const emittedIds = (
  { subscriber, replay }: ShownDelivery,
  deliveries: Fate['deliveries'],
): readonly string[] =>
  deliveries.find((other) => other.subscriber === subscriber && other.replay === replay)?.emitted ?? []

/**
 * Whose emission an event is: that of the replay which it names; where it names only the subscriber, of several deliveries
 * to that one the first which says that it emitted it; where none does, as a workflow's, the first.
 */
export function emitterOf(
  { cause, id }: RecordedEvent,
  shown: readonly ShownDelivery[],
  deliveries: Fate['deliveries'],
): ShownDelivery | undefined {
  const own = shown.filter(({ subscriber }) => subscriber === cause?.by)
  if (cause?.replay !== undefined) return own.find(({ replay }) => replay === cause.replay)
  return own.find((delivery) => emittedIds(delivery, deliveries).includes(id)) ?? own[0]
}

export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

// ---- why: one event's whole fate ---------------------------------------------------------------

export type Emitted = { source: string; id: string; type?: string | undefined; recorded: boolean }

export type Why = {
  event: EventSummary
  expects: readonly string[]
  deliveries: readonly (ShownDelivery & { emitted: readonly Emitted[] })[]
  /** true when the story is so long that what a workflow emitted may be missing here */
  truncated: boolean
}

/** events of a story that one answer looks at */
const storyLimit = 500

/** @throws Failure NotFound */
export async function why(ports: FatePorts, identity: Identity): Promise<Why> {
  const { stored, deliveries } = await fateOf(ports, identity)
  const { project } = identity
  const story = await ports.history.story({
    project,
    correlationid: stored.event.correlationid,
    limit: storyLimit,
  })
  const told = deliveries.flatMap(({ subscriber, emitted }) =>
    emitted.map((id) => ({ project, source: sourceOf(subscriber), id })),
  )
  const identities = unique([...told, ...story.items])
  const found = new Map<string, RecordedEvent>()
  for (const entry of await ports.history.getEvents(identities))
    if (entry !== undefined) found.set(identityText(entry.event), entry.event)
  const shown = await shownDeliveries(ports, stored, deliveries)
  return {
    event: summary(stored.event),
    expects: stored.expects,
    deliveries: shown.map((delivery) => ({
      ...delivery,
      emitted: [
        ...toldBy(delivery, project, deliveries, found),
        ...[...found.values()]
          .filter((other) => isCause(stored.event, other) && emitterOf(other, shown, deliveries) === delivery)
          .map(({ source, id, type }) => ({ source, id, type, recorded: true })),
      ].filter(isFirst),
    })),
    truncated: story.next !== undefined,
  }
}

/** Where the events that a subscriber emits come from; record derives the same. */
const sourceOf = (subscriber: string): string => `/loadpath/${subscriber}`

export const unique = (identities: readonly Identity[]): Identity[] => [
  ...new Map(identities.map((identity) => [identityText(identity), identity])).values(),
]

/** What a delivery says it emitted. */
function toldBy(
  delivery: ShownDelivery,
  project: string,
  deliveries: Fate['deliveries'],
  found: ReadonlyMap<string, RecordedEvent>,
): Emitted[] {
  const source = sourceOf(delivery.subscriber)
  return emittedIds(delivery, deliveries).map((id) => {
    const type = found.get(identityText({ project, source, id }))?.type
    return { source, id, type, recorded: type !== undefined }
  })
}

const isFirst = (emitted: Emitted, index: number, all: readonly Emitted[]): boolean =>
  all.findIndex(({ source, id }) => source === emitted.source && id === emitted.id) === index

export const isCause = (event: RecordedEvent, other: RecordedEvent): boolean =>
  other.cause?.source === event.source && other.cause.id === event.id
