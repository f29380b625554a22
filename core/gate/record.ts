import { eventTypeNamed } from '../../events/catalogue.ts'
import { byteLength, type Identity, limits, type RecordedEvent } from '../../events/envelope.ts'
import type { Route } from '../../events/route.ts'
import { attempt } from '../attempt.ts'
import { type Fault, isOfNewerCode, reasonOf, secondsForNewerCode } from '../errors.ts'
import { type Admission, type Admitted, admit, identityOf, type Refusal } from '../event/admit.ts'
import type { Arrival } from '../event/arrival.ts'
import { identityHash, identityText } from '../identity.ts'
import type {
  Bodies,
  Clock,
  Delivery,
  DeliveryKey,
  History,
  PageName,
  Queues,
  Random,
  StoredEvent,
} from '../ports.ts'
import { ago } from '../time.ts'
import { patience } from './missing.ts'
import { type QuarantineOutcome, quarantine } from './quarantine.ts'
import { messagesFor, missingOf, send, sendMissing, unsentOf } from './send.ts'

export type RecordDeps = {
  history: History
  queues: Queues
  bodies: Bodies
  clock: Clock
  random: Random
  routes: readonly Route[]
}

/**
 * What became of an arrival.
 * recorded, known (the same was there already), duplicate (a signed body under a new id): in history; `unsent` says why
 * a subscriber may not have been sent it yet (the sweep will, or the same call again).
 * conflict, refused: nothing kept. quarantined: kept for a person. unavailable: try again.
 */
export type Outcome =
  | { status: 'recorded' | 'known' | 'duplicate'; event: RecordedEvent; unsent?: unknown }
  | { status: 'conflict'; identity: Identity }
  | { status: 'refused'; reason: Refusal['reason']; faults: readonly Fault[] }
  | QuarantineOutcome

/** In history and sent, or kept in quarantine: nobody needs to hand it over again. */
export const isThrough = (outcome: Outcome | undefined): boolean =>
  outcome !== undefined && outcome.status !== 'unavailable' && !('unsent' in outcome)

/**
 * Seconds until what is not through is worth another try; undefined: whenever its queue says. The record queue hands a
 * message out ten times, so it waits for newer code for two and a half hours before it is a dead letter.
 */
export const secondsUntilAgain = (outcome: Outcome | undefined): number | undefined =>
  outcome?.status === 'unavailable' && isOfNewerCode(outcome.error) ? secondsForNewerCode : undefined

type Accepted = { index: number; arrival: Arrival; admitted: Admitted }

/**
 * The one gate: every event of every door passes here. One outcome per arrival, in order; it does not throw for any of
 * them. The order of writing is page, event (conditional), sends, so that a crash between two steps loses nothing.
 */
export async function record(arrivals: readonly Arrival[], deps: RecordDeps): Promise<Outcome[]> {
  const outcomes = new Map<number, Outcome>()
  const accepted: Accepted[] = []
  const refusals: Promise<void>[] = []
  for (const [index, arrival] of arrivals.entries()) {
    const admission = read(arrival, deps.routes)
    if (admission.verdict === 'admitted') accepted.push({ index, arrival, admitted: admission })
    else if (admission.verdict === 'later')
      outcomes.set(index, { status: 'unavailable', error: admission.error })
    else refusals.push(refuse(arrival, admission, deps).then((outcome) => void outcomes.set(index, outcome)))
  }
  const byIdentity = Map.groupBy(accepted, ({ admitted }) => identityText(identityOf(admitted.event)))
  const firsts = [...byIdentity.values()].flatMap((items) => items.slice(0, 1))
  const [written] = await Promise.all([write(firsts, deps), ...refusals])
  for (const { index, outcome } of written) outcomes.set(index, outcome)
  await Promise.all(
    [...byIdentity.values()].map(async ([first, ...repeats]) => {
      if (first === undefined || repeats.length === 0) return
      const settled = await settleRepeats(repeats, first, outcomes.get(first.index), deps)
      for (const [position, { index }] of repeats.entries()) outcomes.set(index, at(settled, position))
    }),
  )
  return arrivals.map(
    (_, index) => outcomes.get(index) ?? { status: 'unavailable', error: new Error('no outcome') },
  )
}

/** An event that cannot even be looked at (nested too deep, say) is garbage, and no reason to try for ever. */
function read(arrival: Arrival, routes: readonly Route[]): Admission {
  try {
    return admit(arrival, routes)
  } catch (error) {
    const faults = [{ path: '(whole)', expected: 'an event that can be read', got: reasonOf(error) }]
    return { verdict: 'refused', reason: 'unreadable', faults }
  }
}

/** The others of one identity within a batch: known where the content is the same, and as uncertain as the first. */
async function settleRepeats(
  repeats: readonly Accepted[],
  first: Accepted,
  outcome: Outcome | undefined,
  deps: RecordDeps,
): Promise<Outcome[]> {
  if (outcome === undefined || outcome.status === 'unavailable')
    return repeats.map(() => outcome ?? { status: 'unavailable', error: new Error('no outcome') })
  const known = 'event' in outcome ? ({ ...outcome, status: 'known' } as const) : undefined
  const isKnown = ({ admitted }: Accepted) => admitted.content === first.admitted.content
  if (known !== undefined && repeats.every(isKnown)) return repeats.map(() => known)
  const fate = await attempt(() => deps.history.fate(identityOf(first.admitted.event)))
  if ('error' in fate) return repeats.map(() => ({ status: 'unavailable', error: fate.error }))
  // what was recorded before this batch is sent on again once, however often it lies in it
  let same: Promise<Outcome> | undefined
  return Promise.all(
    repeats.map((item) => {
      if (known !== undefined && isKnown(item)) return known
      if (item.admitted.content !== fate.value.stored?.content) return compare(item, fate.value, deps)
      same ??= compare(item, fate.value, deps)
      return same
    }),
  )
}

async function write(
  items: readonly Accepted[],
  deps: RecordDeps,
): Promise<{ index: number; outcome: Outcome }[]> {
  if (items.length === 0) return []
  const unavailable = (error: unknown) =>
    items.map(({ index }) => ({ index, outcome: { status: 'unavailable', error } satisfies Outcome }))
  const prepared = await attempt(async () => {
    const events = await Promise.all(items.map(({ admitted }) => withBody(admitted, deps.bodies)))
    const pages = await writePages(events, deps)
    return items.map((item, position): StoredEvent => {
      const { content, expects } = item.admitted
      return { event: at(events, position), content, expects, page: at(pages, position) }
    })
  })
  if ('error' in prepared) return unavailable(prepared.error)
  const stored = prepared.value
  const inserted = await attempt(() => deps.history.insertEvents(stored))
  if ('error' in inserted) return unavailable(inserted.error)

  const fresh = stored.filter((_, position) => inserted.value[position]?.verdict === 'inserted')
  const unsent = await send(
    fresh.flatMap(({ event, expects }) => messagesFor(event, expects, false)),
    deps,
  )
  return Promise.all(
    items.map(async (item, position) => {
      const verdict = inserted.value[position]
      const { event } = at(stored, position)
      if (verdict?.verdict === 'inserted') {
        const status = event.duplicateof === undefined ? 'recorded' : 'duplicate'
        return { index: item.index, outcome: { status, event, ...unsentOf(unsent, event) } satisfies Outcome }
      }
      if (verdict?.verdict === 'exists') return { index: item.index, outcome: await settle(item, deps) }
      return {
        index: item.index,
        outcome: { status: 'unavailable', error: verdict?.error } satisfies Outcome,
      }
    }),
  )
}

/** A body over the inline limit goes to the bucket, and the event carries its key. */
async function withBody({ event, content }: Admitted, bodies: Bodies): Promise<RecordedEvent> {
  if (event.data === undefined) return event
  const body = JSON.stringify(event.data)
  if (byteLength(body) <= limits.inlineBody) return event
  const { data: _, ...rest } = event
  const dataref = bodyKey(event, content)
  await bodies.put(dataref, Buffer.from(body))
  return { ...rest, dataref }
}

const bodyKey = (event: RecordedEvent, content: string): string =>
  [eventTypeNamed(event.type)?.retention ?? 'project', event.project, identityHash(event), content].join('/')

const pageSize = 100

/** Lists the events in timeline pages before they exist; readers skip entries that came to nothing. */
async function writePages(events: readonly RecordedEvent[], deps: RecordDeps): Promise<PageName[]> {
  const names = new Map<RecordedEvent, PageName>()
  const now = deps.clock()
  const pages = [...Map.groupBy(events, (event) => event.project)].flatMap(([project, ofProject]) =>
    chunks(ofProject, pageSize).map((chunk) => {
      const unique = Math.floor(deps.random() * 2 ** 40).toString(36)
      const name = { hour: now.slice(0, 13), shard: Math.floor(deps.random() * 4), page: `${now}~${unique}` }
      for (const event of chunk) names.set(event, name)
      const entries = chunk.map(({ source, id, type, received, partitionkey, correlationid }) => ({
        source,
        id,
        type,
        received,
        partitionkey,
        correlationid,
      }))
      return { project, ...name, entries }
    }),
  )
  await Promise.all(pages.map((page) => deps.history.putPage(page)))
  return events.map((event) => {
    const name = names.get(event)
    if (name === undefined) throw new Error(`no page for ${event.id}`)
    return name
  })
}

/** The identity is taken: by the same event, or by another one. */
async function settle(item: Accepted, deps: RecordDeps): Promise<Outcome> {
  const fate = await attempt(() => deps.history.fate(identityOf(item.admitted.event)))
  return 'error' in fate ? { status: 'unavailable', error: fate.error } : compare(item, fate.value, deps)
}

/**
 * While a deployment goes on, a name that is in no route here may be in one of the other code, which has it in hand or is
 * to send it: what has a sequence waits for that, or the next of its key would pass it there.
 */
async function sendAgain(
  { stored, deliveries }: { stored: StoredEvent; deliveries: readonly (DeliveryKey & Delivery)[] },
  deps: RecordDeps,
): Promise<unknown> {
  const isYoung = stored.event.received > ago(deps.clock(), patience)
  const sending = isYoung ? { ...deps, memory: undefined } : deps
  const sent = await attempt(() => sendMissing({ stored, deliveries }, sending))
  if ('error' in sent) return sent.error
  if (sent.value !== undefined || !isYoung || stored.event.sequence === undefined) return sent.value
  const elsewhere = missingOf({ stored, deliveries }).find(
    (name) => !deps.routes.some(({ subscriber }) => subscriber === name),
  )
  return elsewhere && new Error(`${elsewhere} is in no route of this code, and may be in one of the other's`)
}

async function compare(
  { arrival, admitted }: Accepted,
  fate: { stored: StoredEvent | undefined; deliveries: readonly (DeliveryKey & Delivery)[] },
  deps: RecordDeps,
): Promise<Outcome> {
  const { stored } = fate
  const identity = identityOf(admitted.event)
  // taken a moment ago and expired since: as good as not tried
  if (stored === undefined) return { status: 'unavailable', error: new Error('the event expired meanwhile') }
  if (stored.content === admitted.content) {
    const unsent = await sendAgain({ stored, deliveries: fate.deliveries }, deps)
    return { status: 'known', event: stored.event, ...(unsent === undefined ? {} : { unsent }) }
  }
  const difference = `came again from ${arrival.door} with other content (digest ${admitted.content.slice(0, 12)}); the first stands`
  if (arrival.content.kind !== 'incoming') {
    const { emitter } = admitted
    if (emitter !== undefined) {
      const noted = await attempt(() => deps.history.note(emitter, `${identity.id}: ${difference}`))
      if ('error' in noted) return { status: 'unavailable', error: noted.error }
    }
    return { status: 'known', event: stored.event }
  }
  if (arrival.ifInvalid === 'answer') return { status: 'conflict', identity }
  const faults = [
    { path: 'data', expected: 'the content recorded first under this source and id', got: difference },
  ]
  const { type, source, id } = admitted.event
  return refuse(arrival, { verdict: 'refused', reason: 'conflict', faults, type, source, id }, deps)
}

/** Answers the sender, or keeps the arrival as it came for a person to mend. */
async function refuse(arrival: Arrival, refusal: Refusal, deps: RecordDeps): Promise<Outcome> {
  const { reason, faults, type, source, id } = refusal
  if (arrival.ifInvalid === 'answer') return { status: 'refused', reason, faults }
  return quarantine(
    {
      project: arrival.project,
      door: arrival.door,
      received: arrival.received,
      raw: arrival.raw,
      reason,
      faults,
      type,
      source,
      id,
    },
    deps,
  )
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) =>
    items.slice(n * size, (n + 1) * size),
  )
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new RangeError(`nothing at ${index} of ${items.length}`)
  return item
}
