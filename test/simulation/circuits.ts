import { closedAt } from '../../core/hold/circuit.ts'
import { type Control, controlOf, controlRecord, pauseOf } from '../../core/hold/control.ts'
import type { Commit, MemoryRecord } from '../../core/ports.ts'
import { type Held, isDeployed, routeOf, type Wrong } from './held.ts'
import type { Observed } from './observed.ts'

/** What must hold of circuits, and of what holds a subscriber back. */

/** A probe that is not heard of lets another one try after a minute. */
const probePatience = 60_000

/** What holds a subscriber back was changed, from one state to the next. */
export function noteControl(
  { project, name, value }: { project: string; name: string; value: unknown },
  before: MemoryRecord | undefined,
  { observed, now, skew }: { observed: Observed; now: number; skew: number },
): void {
  const was = controlOf(before)
  const is = controlOf({ ...controlRecord(project, name), value, version: 1 })
  const about = `${project} ${name}`
  observed.paused.set(about, pauseOf(is) && now)
  noteCircuits(about, was, is, { observed, now })
  noteParted(about, was, is, { observed, now })
  const together = was.paused && was.rebuild && !is.paused && !is.rebuild
  if (together)
    observed.violated({
      invariant: 'each pause is taken back for itself',
      message: `${about} was paused by somebody and by a rebuild, and both were taken back at once`,
    })
  for (const { downstream, state, lastProbe } of is.circuits) {
    const old = was.circuits.find((one) => one.downstream === downstream)
    if (old?.state !== 'half-open' || state !== 'half-open' || old.lastProbe === lastProbe) continue
    const between = Date.parse(lastProbe ?? '') - Date.parse(old.lastProbe ?? '')
    if (between < probePatience - 2 * skew)
      observed.violated({
        invariant: 'one at a time tries what is down',
        message: `the circuit ${downstream} of ${about} was tried again ${between} ms after it was, and nobody had said how that went`,
      })
  }
}

function noteCircuits(
  about: string,
  was: Control,
  is: Control,
  { observed, now }: { observed: Observed; now: number },
): void {
  for (const { downstream, state } of is.circuits) {
    const old = was.circuits.find((one) => one.downstream === downstream)
    if (state === 'half-open') observed.sometimes('a circuit is tried')
    if (state === 'open' && old?.state === 'half-open') observed.sometimes('a circuit is tried in vain')
    if (old !== undefined) continue
    observed.sometimes(closedAt(was, downstream) ? 'a circuit opens again' : 'a circuit opens')
    if (downstream !== '') observed.sometimes('the circuit of one downstream opens')
    observed.circuits.set(about, [...(observed.circuits.get(about) ?? []), { downstream, at: now }])
  }
}

function noteParted(
  about: string,
  was: Control,
  is: Control,
  { observed, now }: { observed: Observed; now: number },
): void {
  const parted = is.circuits.map(({ downstream, state, lastProbe }) => {
    const known = observed.parted.get(about)?.get(downstream) ?? { since: now, tries: 0 }
    const old = was.circuits.find((one) => one.downstream === downstream)
    const isTried = state === 'half-open' && lastProbe !== old?.lastProbe
    return [downstream, isTried ? { ...known, tries: 1 } : known] as const
  })
  observed.parted.set(about, new Map(parted))
}

/** What its handling needs is parted from it since before `seen`: it is run where it is the one that tries. */
export function holdParted(
  about: string,
  downstream: string,
  seen: number,
  { parted }: Observed,
): string | undefined {
  const circuits = parted.get(about)
  const circuit = circuits?.get('') ?? circuits?.get(downstream)
  if (circuit === undefined || circuit.since > seen) return undefined
  if (circuit.tries > 0) circuit.tries--
  else return `${about} is parted from "${downstream}", and somebody else tries that`
  return undefined
}

/** How circuits closed, by the events that tell it. */
export function noteClosings({ outbox }: Pick<Commit, 'outbox'>, { sometimes }: Observed): void {
  for (const { frame } of outbox) {
    const { event } = frame as { event?: { type?: string; data?: { because?: string } } }
    if (event?.type === 'circuit.closed') sometimes(`a circuit closes: ${event.data?.because}`)
  }
}

const enough = 10
const within = 30_000
/** Longer than failures are counted together, and than what is told of them takes. */
const soon = 90_000

/** What is down parts its subscriber from it: many that fail alike, and none that goes well, open a circuit. */
export function circuitsOpen({ stage, observed }: Held): Wrong[] {
  // where nothing but a downstream is out nobody can have failed to count
  if (!stage.isOnlyDown) return []
  return [...observed.acts].flatMap(([name, acts]): Wrong[] => {
    const [project, subscriber = '', downstream = ''] = name.split(' ')
    const about = `${project} ${subscriber}`
    const firsts = acts.filter(
      ({ id, well }, index) => !well && !acts.slice(0, index).some((one) => one.id === id && !one.well),
    )
    for (const [index, { at }] of firsts.entries()) {
      const last = firsts[index + enough - 1]
      if (last === undefined || last.at - at > within) continue
      const isMixed = acts.some((one) => one.well && one.at > at - 60_000 && one.at <= last.at)
      const opened = (observed.circuits.get(about) ?? []).some(
        (one) =>
          (one.downstream === '' || one.downstream === downstream) &&
          one.at > at - soon &&
          one.at < last.at + soon,
      )
      if (!isMixed && !opened)
        return [{ message: `${enough} of ${about} failed within ${last.at - at} ms, and no circuit opened` }]
    }
    return []
  })
}

/** Longer than failures are counted together. */
const counted = 125_000

/** Of those whose failures are all seen: no circuit opens by failures that have nothing in common. */
export const circuitsOpenOnLikes = (held: Held): Wrong[] =>
  [...held.observed.circuits].flatMap(([about, opened]): Wrong[] => {
    if (routeOf(held, about.split(' ')[1] ?? '')?.effect !== 'outside') return []
    return opened.flatMap(({ downstream, at }) => {
      const failures = (held.observed.failures.get(about) ?? []).filter(
        (one) =>
          one.at > at - counted && one.at <= at && (downstream === '' || one.downstream === downstream),
      )
      const likes = [...Map.groupBy(failures, ({ why }) => why).values()]
      const most = Math.max(0, ...likes.map((alike) => new Set(alike.map(({ event }) => event)).size))
      if (most >= alike) return []
      return [
        { message: `the circuit ${downstream} of ${about} opened, and no more than ${most} failed alike` },
      ]
    })
  })
const alike = 5

/** What answers again is not parted any more. */
export async function circuitsClose(held: Held): Promise<Wrong[]> {
  const { stage, observed } = held
  const parked = [...observed.deliveries.values()].filter(({ state }) => state === 'parked')
  return stage.stored.real.memory.all().records.flatMap((record): Wrong[] => {
    if (record.kind !== 'control') return []
    const state = controlOf(record)
    const { project, name } = record
    // what waits for newer code, or behind something dead, tries nothing
    const waits = parked.some((mark) => mark.project === project && mark.subscriber === name)
    // of who has left the routes nobody tries anything any more
    if (waits || !isDeployed(held, name) || pauseOf(state) !== undefined) return []
    return state.circuits.map(({ downstream, since }) => ({
      message: `the circuit ${downstream} of ${project} ${name} is open since ${since}, and nothing waits behind it`,
    }))
  })
}
