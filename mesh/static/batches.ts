import type { Service } from '../loads.ts'
import type { ElementOf, Law, MeshElement } from '../model.ts'
import { type Gathered, gathered, gathering } from '../queueing/gathered.ts'
import { bulkService, type Served } from '../queueing/waiting.ts'
import type { Extra } from './times.ts'

/** Messages that an invocation has at most: what fills while messages wait. Nobody fills what a caller brings. */
export const mostAtOnce = (element: MeshElement | undefined): number =>
  element?.kind === 'poll' ? element.batch : 1

/** Seconds of an invocation with so many messages; undefined: it is not known what a message takes of them. */
export const secondsOf = ({ mean, batch = 1, each }: Service, messages: number): number | undefined =>
  each === undefined ? undefined : mean + each * (messages - batch)

/**
 * Seconds of a server for one message, where batches have grown to `most`. Where it is not known what a message takes of
 * an invocation, the two ends: `most` as if its time were all of messages, so that batches help nothing, and `least` as if
 * it took as long with however many.
 */
export function perMessage(service: Service, most: number): { least: number; most: number } {
  const { mean, batch = 1 } = service
  const full = Math.max(most, batch)
  const known = secondsOf(service, full)
  return known === undefined
    ? { least: mean / full, most: mean / batch }
    : { least: known / full, most: known / full }
}

/** How many gather at once, as far as it is known: those that a queue is polled by when messages begin to come. */
const gatherers = (laws: readonly Law[]): number =>
  Math.min(
    Number.POSITIVE_INFINITY,
    ...laws.map((law) =>
      law.law === 'servers'
        ? law.servers
        : law.law === 'scaling'
          ? Math.max(1, law.initial)
          : Number.POSITIVE_INFINITY,
    ),
  )

/** What a window makes of a trickle, of what comes so many `together`. */
function gatheredBy(poll: ElementOf<'poll'>, rate: number, together: number): Gathered {
  const { batch, seen } = gathered(rateOf(poll, rate / together), poll.window, poll.batch / together)
  return { batch: batch * together, seen: seen * together }
}

/** How long a message waits for its batch within the window. */
export const gatheringOf = (poll: ElementOf<'poll'>, rate: number): readonly Extra[] =>
  gathering(rateOf(poll, rate), poll.window, poll.batch)

/** What comes to each of those who gather. */
function rateOf({ laws }: ElementOf<'poll'>, rate: number): number {
  const by = gatherers(laws)
  return Number.isFinite(by) ? rate / by : 0
}

/**
 * How a function serves what a poll brings: attempts a second, at most so many `servers` at once. What was measured as its
 * batch comes together, what comes within the window is gathered, and what waits for a server is taken with it.
 * undefined: it is not known what a message takes of an invocation.
 */
export function servedBy(
  poll: ElementOf<'poll'>,
  service: Service,
  rate: number,
  servers: number,
): Served | undefined {
  const { each, scv } = service
  if (each === undefined) return undefined
  const { mean, batch = 1 } = service
  const together = Math.min(
    poll.batch,
    Math.max(batch, gatheredBy(poll, rate, Math.min(batch, poll.batch)).batch),
  )
  if (!Number.isFinite(servers)) return { batch: together, wait: { mean: 0, variance: 0 } }
  // a limit below that of all shards is what they share
  const stations = stationsOf(poll.laws) ?? 0
  const [own, part] = stations > 0 && stations <= servers ? [1, 1 / stations] : [servers, 1]
  const served = bulkService({
    ...{ servers: own, rate: (rate * part) / together, most: poll.batch / together, scv },
    ...{ fixed: mean - each * batch, each: each * together },
  })
  return { ...served, batch: served.batch * together }
}

/** Queues that a message is bound to one of, each of one server; undefined: whoever is free takes it. */
export const stationsOf = (laws: readonly Law[]): number | undefined =>
  laws.find((law) => law.law === 'servers' && law.keyed === true) && serversOf(laws)

/** Servers that limit what an element brings; Infinity: none. */
export const serversOf = (laws: readonly Law[]): number =>
  Math.min(
    Number.POSITIVE_INFINITY,
    ...laws.map((law) => (law.law === 'servers' ? law.servers : Number.POSITIVE_INFINITY)),
  )
