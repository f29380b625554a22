import type { Route } from '../../events/route.ts'
import { commitDecision } from '../commit-decision.ts'
import { sumOf } from '../counts.ts'
import { parted } from '../delivery-key.ts'
import { outboxItems } from '../event/outbox.ts'
import type { SendDeps } from '../gate/send.ts'
import { type Circuit, covering, mayProbe } from '../hold/circuit.ts'
import { closing, controlAuthor, isQuiet } from '../hold/circuit-commit.ts'
import { type Control, controlOf, controlRecord, controlWrite, heldList, pauseOf } from '../hold/control.ts'
import { type Lanes, releaseLane } from '../lane/lane.ts'
import { resend } from '../mend/resend.ts'
import { openDeliveries } from '../open-deliveries.ts'
import type { Delivery, DeliveryKey, Memory, StoredEvent } from '../ports.ts'
import { readEvents } from '../read-events.ts'
import { goRound } from './go-round.ts'

export type ProbeDeps = Omit<SendDeps, 'memory'> & { memory: Memory; lanes: Lanes }

const mostRecords = 100
/** Parked deliveries of one subscriber among which one pass looks for those that its circuits are tried with. */
const perPage = 25
const mostPages = 8
/** Lanes that may be blocked, after which no further page is begun. */
const mostLanes = 25

/** The open circuits of one subscriber. */
export type SubscriberCircuits = { route: Route; state: Control }

/** Every subscriber of the routes that has open circuits. Goes by an index: eventually consistent. */
export async function openCircuits(
  project: string,
  { memory, routes }: Pick<ProbeDeps, 'memory' | 'routes'>,
): Promise<SubscriberCircuits[]> {
  const { items } = await memory.list({ project, list: heldList, oldestFirst: true, limit: mostRecords })
  return items.flatMap((record) => {
    const route = routes.find(({ subscriber }) => subscriber === record.name)
    const state = controlOf(record)
    return route === undefined || state.circuits.length === 0 ? [] : [{ route, state }]
  })
}

/**
 * What comes for a subscriber tries its open circuits. Where nothing comes any more, one of the parked deliveries does:
 * it is sent again, and as the first that arrives it is the probe (of an ordered route all that waits in its lane is
 * sent, and the first is). A circuit for which nothing waits is closed. Answers how many were tried and closed, and how
 * many of what waits were left out because newer code wrote their events.
 */
export async function probeCircuits(
  project: string,
  parted: readonly SubscriberCircuits[],
  deps: ProbeDeps,
): Promise<Tried> {
  const now = deps.clock()
  const due = parted.flatMap(({ route, state }) => {
    if (pauseOf(state) !== undefined) return []
    const covers = (circuit: Circuit) => covering(state, circuit.downstream) === circuit
    const circuits = state.circuits.filter((circuit) => covers(circuit) && mayProbe(circuit, now))
    return circuits.length === 0 ? [] : [{ route, circuits }]
  })
  const done = await Promise.all(due.map(({ route, circuits }) => probe(project, route, circuits, deps)))
  const failures = done.flatMap((one) => one.failures)
  if (failures.length > 0) throw new AggregateError(failures, 'circuits that could not be tried')
  return done.map(({ tried }) => tried).reduce(sumOf, { probed: 0, closed: 0, unreadable: 0 })
}

type Parked = { mark: DeliveryKey & Delivery; stored: StoredEvent }
type Tried = { probed: number; closed: number; unreadable: number }

/** Goes round what is parked of one subscriber: the first for each of its circuits tries that one. */
async function probe(
  project: string,
  route: Route,
  circuits: readonly Circuit[],
  deps: ProbeDeps,
): Promise<{ tried: Tried; failures: readonly unknown[] }> {
  const of = { project, subscriber: route.subscriber }
  const failures: unknown[] = []
  const tried = { probed: 0, closed: 0, unreadable: 0 }
  const left = new Set(circuits)
  const waitedFor = new Set<Circuit>()
  const seenLanes = new Set<string>()
  let isFromStart = false
  let isWhole = false

  const tryWith = async (one: Parked): Promise<void> => {
    const circuit = [...left].find((candidate) => belongs(route, candidate, one.stored))
    if (circuit === undefined) return
    waitedFor.add(circuit)
    if (route.ordered === true) {
      const lane = JSON.stringify([one.stored.event.partitionkey, one.mark.replay])
      if (seenLanes.has(lane)) return
      seenLanes.add(lane)
    }
    try {
      if (!(await sendAgain(route, one, deps))) return
      tried.probed++
    } catch (error) {
      failures.push(error)
    }
    left.delete(circuit)
  }

  const look = async (cursor: string | undefined) => {
    const page = await openDeliveries({ ...of, state: 'parked', cursor, limit: perPage }, deps.history)
    const stored = await readEvents(page.items, deps.history)
    tried.unreadable += page.unreadable.length
    for (const [index, mark] of page.items.entries()) {
      const event = stored[index]
      if (event === 'unreadable') tried.unreadable++
      else if (event !== undefined) await tryWith({ mark, stored: event })
    }
    isFromStart ||= cursor === undefined
    isWhole = isFromStart && page.next === undefined
    return { next: page.next, found: left.size === 0 }
  }

  try {
    // what is being tried again will come by itself, and be the probe
    const retrying = await deps.history.openMarks({ ...of, state: 'retrying', limit: 1 })
    const round = { project, name: `probes ${route.subscriber}`, pages: mostPages }
    await goRound({ ...round, isOver: () => seenLanes.size >= mostLanes }, deps.memory, look)
    // what cannot be read waits for newer code, and not for this
    if (isWhole && retrying.items.length === 0)
      for (const circuit of left)
        if (!waitedFor.has(circuit) && (await close(of, route, circuit, deps))) tried.closed++
  } catch (error) {
    failures.push(error)
  }
  return { tried, failures }
}

const belongs = (route: Route, { downstream }: Circuit, { event }: StoredEvent): boolean =>
  downstream === '' || (route.downstream?.(event) ?? '') === downstream

/** False when it stands otherwise by now, or waits behind something that is dead. */
async function sendAgain(route: Route, { mark, stored }: Parked, deps: ProbeDeps): Promise<boolean> {
  const { key, delivery } = parted(mark)
  const { project, subscriber, replay } = key
  const { event } = stored
  if (route.ordered === true) {
    const lane = { project, subscriber, partitionkey: event.partitionkey, replay }
    return 'sent' in (await releaseLane(lane, { dead: [] }, deps))
  }
  const [resent] = await resend(subscriber, [{ key, delivery, event }], 'its circuit, to try it', deps)
  if (resent?.outcome === 'failed') throw resent.error
  return resent?.outcome === 'sent'
}

/** Closes a circuit for which nothing waits: the next delivery finds out by itself, and need not be the only one. */
async function close(
  of: { project: string; subscriber: string },
  route: Route,
  seen: Circuit,
  { memory, clock }: ProbeDeps,
): Promise<boolean> {
  const { answer } = await commitDecision(
    (change) => memory.commit(change),
    `what holds back ${of.subscriber}`,
    async () => {
      const record = await memory.get(controlRecord(of.project, of.subscriber))
      const state = controlOf(record)
      const circuit = state.circuits.find(({ downstream }) => downstream === seen.downstream)
      const isSame = circuit !== undefined && circuit.since === seen.since && mayProbe(circuit, clock())
      if (!isSame) return { change: undefined, answer: false }
      const how = { now: clock(), because: 'nothing waits for it' } as const
      const { next, emits } = closing({ ...of, quiet: isQuiet(route) }, state, [circuit], how)
      const write = controlWrite(of, record, next)
      const author = controlAuthor(of.project, 'system')
      const outbox = outboxItems({ emits, sequence: write.version }, author)
      return { change: { writes: [write], outbox }, answer: true }
    },
  )
  return answer
}
