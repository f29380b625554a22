import type { Service } from '../loads.ts'
import type { ElementOf, Law, MeshElement } from '../model.ts'
import { bulkRun } from '../queueing/bulk-run.ts'
import { type Gathered, gathered, gathering } from '../queueing/gathered.ts'
import { bulkService, runs, type Served } from '../queueing/waiting.ts'
import type { Extra, Moments } from './times.ts'

/** Messages that an invocation has at most: what fills while messages wait. Nobody fills what a caller brings. */
export const largestBatch = (element: MeshElement | undefined): number =>
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
  const bulk = bulkOf(poll, service, rate, servers)
  if (bulk === undefined) return undefined
  const served = bulk.queue === undefined ? atOnce : bulkService(bulk.queue)
  return { ...served, batch: served.batch * bulk.together.batch }
}

const atOnce: Served = { batch: 1, wait: { mean: 0, variance: 0 }, seen: { batch: 1, square: 1 } }

/**
 * The same as a message of it meets it: the wait for a server, and the time of the invocation that it is in; `service` of
 * which is its own, and `occupancy` that with all that its server is kept for.
 */
export function metBy(
  poll: ElementOf<'poll'>,
  { service, occupancy }: { service: Service; occupancy: Service },
  rate: number,
  servers: number,
): { wait: Moments | null; handling: Moments } | undefined {
  const bulk = bulkOf(poll, occupancy, rate, servers)
  if (bulk === undefined) return undefined
  const { queue, together, each } = bulk
  const fixed = bulk.fixed - (occupancy.mean - service.mean)
  const served = queue === undefined ? atOnce : bulkService(queue)
  const { wait, seen } =
    queue !== undefined && rate > 0 && served.wait !== null && runs(queue, served)
      ? bulkRun(queue, served.batch)
      : served
  // of those who came together as many as they are, with how many vary among them
  const found = seen.batch * together.batch + (together.seen - together.batch)
  const square = seen.square * together.batch ** 2 + found ** 2 - (seen.batch * together.batch) ** 2
  const mean = fixed + each * found
  const second = (fixed ** 2 + 2 * fixed * each * found + each ** 2 * square) * (1 + service.scv)
  return { wait, handling: { mean, variance: Math.max(0, second - mean ** 2) } }
}

/** The queue of those who come together; undefined: there are servers for all. */
function bulkOf(poll: ElementOf<'poll'>, service: Service, rate: number, servers: number) {
  const { each, scv, mean, batch = 1 } = service
  if (each === undefined) return undefined
  const gathers = gatheredBy(poll, rate, Math.min(batch, poll.batch))
  const least = Math.min(poll.batch, batch)
  const together = gathers.batch > least ? gathers : { batch: least, seen: least }
  const fixed = Math.max(0, mean - each * batch)
  if (!Number.isFinite(servers)) return { together, fixed, each, queue: undefined }
  // a limit below that of all shards is what they share
  const stations = stationsOf(poll.laws) ?? 0
  const [own, part] = stations > 0 && stations <= servers ? [1, 1 / stations] : [servers, 1]
  const queue = {
    ...{ servers: own, rate: (rate * part) / together.batch, most: poll.batch / together.batch, scv },
    ...{ fixed, each: each * together.batch },
  }
  return { together, fixed, each, queue }
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
