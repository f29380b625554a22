import type { Route } from '../../events/route.ts'
import { commitDecision } from '../commit-decision.ts'
import { parted } from '../delivery-key.ts'
import { outboxItems } from '../event/outbox.ts'
import type { SendDeps } from '../gate/send.ts'
import { type Circuit, covering, mayProbe } from '../hold/circuit.ts'
import { closing, controlAuthor, isQuiet } from '../hold/circuit-commit.ts'
import { type Control, controlOf, controlRecord, controlWrite, heldList, pauseOf } from '../hold/control.ts'
import { type Lanes, releaseLane } from '../lane/lane.ts'
import { resend } from '../mend/resend.ts'
import type { Delivery, DeliveryKey, Memory, StoredEvent } from '../ports.ts'
import { readEvents } from '../read-events.ts'

export type ProbeDeps = Omit<SendDeps, 'memory'> & { memory: Memory; lanes: Lanes }

const mostRecords = 100
/** Circuits of one subscriber that one pass looks after. */
const perSubscriber = 5
/** Parked deliveries among which one for a circuit's downstream is looked for. */
const mostLooked = 25

/** The open circuits of one subscriber. */
export type Parted = { route: Route; state: Control }

/** Every subscriber of the routes that has open circuits. Goes by an index: eventually consistent. */
export async function openCircuits(
  project: string,
  { memory, routes }: Pick<ProbeDeps, 'memory' | 'routes'>,
): Promise<Parted[]> {
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
  parted: readonly Parted[],
  deps: ProbeDeps,
): Promise<{ probed: number; closed: number; unreadable: number }> {
  const now = deps.clock()
  const due = parted.flatMap(({ route, state }) => {
    const covers = (circuit: Circuit) => covering(state, circuit.downstream) === circuit
    const circuits = state.circuits.filter((circuit) => covers(circuit) && mayProbe(circuit, now))
    return pauseOf(state) === undefined
      ? circuits.slice(0, perSubscriber).map((circuit) => ({ route, circuit }))
      : []
  })
  const done = await Promise.allSettled(due.map(({ route, circuit }) => probe(project, route, circuit, deps)))
  const failures = done.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  if (failures.length > 0) throw new AggregateError(failures, 'circuits that could not be tried')
  const tried = done.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const count = (wanted: string) => tried.filter(({ came }) => came === wanted).length
  const unreadable = tried.reduce((all, one) => all + one.unreadable, 0)
  return { probed: count('probed'), closed: count('closed'), unreadable }
}

type Parked = { mark: DeliveryKey & Delivery; stored: StoredEvent }
type Tried = { came: 'probed' | 'closed' | 'nothing'; unreadable: number }

async function probe(project: string, route: Route, circuit: Circuit, deps: ProbeDeps): Promise<Tried> {
  const of = { project, subscriber: route.subscriber }
  const page = await deps.history.openDeliveries({ ...of, state: 'parked', limit: mostLooked })
  const stored = await readEvents(page.items, deps.history)
  const unreadable = stored.filter((event) => event === 'unreadable').length
  const parked = page.items.flatMap((mark, index): Parked[] => {
    const event = stored[index]
    if (event === undefined || event === 'unreadable') return []
    return belongs(route, circuit, event) ? [{ mark, stored: event }] : []
  })
  for (const one of parked) if (await sendAgain(route, one, deps)) return { came: 'probed', unreadable }
  if (parked.length > 0 || page.next !== undefined) return { came: 'nothing', unreadable }
  // what is being tried again will come by itself, and be the probe
  const retrying = await deps.history.openMarks({ ...of, state: 'retrying', limit: 1 })
  if (retrying.items.length > 0) return { came: 'nothing', unreadable }
  // what cannot be read waits for newer code, and not for this
  return { came: (await close(of, route, circuit, deps)) ? 'closed' : 'nothing', unreadable }
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
