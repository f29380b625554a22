import { lookupWith } from '../laws/constant-values.ts'
import type { ElementOf, MeshElement, MeshNode, NodeOf, Retry } from '../model.ts'

/*
 * How often a message is tried and for how long, by the element that it goes over: the one place that says so.
 */

/** Expected attempts of at most n, each failing with probability q by itself: (1 - qⁿ)/(1 - q). */
export const expectedAttempts = (q: number, n: number): number => (q === 1 ? n : (1 - q ** n) / (1 - q))

/** Whether something keeps what goes over the element until its target has taken it. */
export const isHeld = (element: MeshElement): element is ElementOf<'poll'> | ElementOf<'delivery'> =>
  element.kind === 'poll' || element.kind === 'delivery'

/** Seconds that a caller waits between its attempts, together. */
export function waitsOf({ attempts, interval, backoff, maxDelay }: Retry): number {
  let [sum, wait] = [0, interval]
  for (let attempt = 1; attempt < Math.min(attempts, 1000); attempt++) {
    sum += Math.min(wait, maxDelay ?? Number.POSITIVE_INFINITY)
    wait *= backoff
  }
  return sum
}

/** How long the stream of a table keeps a change, seconds. */
const tableStream = lookupWith()('dynamodb-stream-retention').value

/** How long what is polled keeps a message, seconds. */
export const retentionOf = (from: MeshNode | undefined): number =>
  from?.kind === 'queue' || from?.kind === 'stream' ? from.settings.retention : tableStream

/** Seconds from one receive to the next: a message comes back when its visibility ends. */
const turnOf = ({ settings }: NodeOf<'queue'>): number => Math.max(settings.visibility, 1)

/**
 * How often a queue hands out a message that always fails, until it is dead-lettered or its retention ends. Attempts are
 * so far apart; how many there are at once, whoever polls decides.
 */
function receivesOf(queue: NodeOf<'queue'>): number {
  const { maxReceiveCount = Number.POSITIVE_INFINITY, retention } = queue.settings
  return Math.min(maxReceiveCount, Math.max(1, Math.ceil(retention / turnOf(queue))))
}

/**
 * Whether what always fails is deleted where it waits before it is given up, whatever keeps what is: a queue dead-letters n
 * receives at nV, and a stream keeps no record longer than anything else.
 */
export function expiresFirst({ attempts, maxAge }: ElementOf<'poll'>, from: MeshNode | undefined): boolean {
  const retention = retentionOf(from)
  if (from?.kind === 'queue')
    return (from.settings.maxReceiveCount ?? Number.POSITIVE_INFINITY) * turnOf(from) >= retention
  const outlasts = (ends: number | null | undefined) =>
    ends === null || (ends !== undefined && ends > retention)
  return outlasts(attempts) && outlasts(maxAge)
}

/** Seconds from a record to the end of its time, by its poller or its stream. */
const ageOver = ({ maxAge }: ElementOf<'poll'>, from: MeshNode | undefined): number =>
  Math.min(retentionOf(from), maxAge ?? Number.POSITIVE_INFINITY)

/**
 * How often what always fails is delivered: what is due when the age has come is not tried (Lambda's guide, error handling of
 * asynchronous invocations). Attempts are taken to take no time; of waits that are spread only their number is known.
 */
function deliveriesOf({ retry, maxAge }: ElementOf<'delivery'>): number {
  const { attempts, interval, jitter } = retry
  if (jitter || interval === 0) return attempts
  let within = Math.min(attempts, 1000)
  while (within > 1 && waitsOf({ ...retry, attempts: within }) >= maxAge) within--
  return within < Math.min(attempts, 1000) ? within : attempts
}

/** Attempts at most of what always fails, the first included. */
export function attemptsOver(element: MeshElement, from: MeshNode | undefined): number {
  switch (element.kind) {
    case 'delivery':
      return deliveriesOf(element)
    case 'invoke':
    case 'call':
      return element.retry.attempts
    case 'poll':
      if (from?.kind === 'queue') return receivesOf(from)
      // a record is tried again at once, in its shard's turn: taken as once a second until it is given up or expires
      return Math.min(element.attempts ?? Number.POSITIVE_INFINITY, Math.max(1, ageOver(element, from)))
    case 'dead-letter':
      return 1
    default:
      return element satisfies never
  }
}

/**
 * For how many seconds what goes over an element is tried again while its target fails: up to the last attempt, which a
 * delivery makes before its age. n attempts of a queue lie at 0, V … (n-1)V, when its visibility is V: that the message is
 * dead-lettered only at nV helps nobody.
 */
export function windowOf(element: MeshElement, from: MeshNode | undefined): number {
  if (element.kind === 'delivery') {
    const { retry, maxAge } = element
    const waits = waitsOf({ ...retry, attempts: deliveriesOf(element) })
    return retry.interval > 0 ? Math.min(maxAge, waits) : maxAge
  }
  if (element.kind !== 'poll') return 0
  if (from?.kind === 'queue') return (receivesOf(from) - 1) * turnOf(from)
  return Math.min(ageOver(element, from), (element.attempts ?? Number.POSITIVE_INFINITY) - 1)
}

/**
 * How long what is not begun with is kept, seconds: it waits in its turn, or is `refused`. A refusal is a receive of a
 * queue, and an attempt of a delivery. It is none of a stream, and none of a function that Lambda invokes by itself: both
 * are tried until their age ends, as a function is asked only when there is room (Lambda's guide, error handling of
 * asynchronous invocations and of streams).
 */
export function patienceOver(
  element: MeshElement | undefined,
  from: MeshNode | undefined,
  to: MeshNode,
  refused: boolean,
): number {
  if (element === undefined || !isHeld(element)) return Number.POSITIVE_INFINITY
  const counts = from?.kind === 'queue' || (element.kind === 'delivery' && to.kind !== 'function')
  if (refused && counts) return windowOf(element, from)
  return element.kind === 'delivery' ? element.maxAge : ageOver(element, from)
}
