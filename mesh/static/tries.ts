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

/**
 * How often a queue hands out a message that always fails: it comes back when its visibility ends, until it is dead-lettered
 * or its retention ends. Attempts are so far apart; how many there are at once, whoever polls decides.
 */
export function receivesOf({ settings }: NodeOf<'queue'>): number {
  const { maxReceiveCount = Number.POSITIVE_INFINITY, visibility, retention } = settings
  return Math.min(maxReceiveCount, Math.max(1, Math.floor(retention / Math.max(visibility, 1))))
}

/** A record of a stream is tried again at once, in its shard's turn: taken as once a second until it is given up or expires. */
function readsOf({ attempts, maxAge }: ElementOf<'poll'>, from: MeshNode | undefined): number {
  const retention = retentionOf(from)
  return Math.min(attempts ?? Number.POSITIVE_INFINITY, Math.max(1, Math.min(maxAge ?? retention, retention)))
}

/** Attempts at most of what always fails, the first included. */
export function attemptsOver(element: MeshElement, from: MeshNode | undefined): number {
  switch (element.kind) {
    case 'delivery':
    case 'invoke':
    case 'call':
      return element.retry.attempts
    case 'poll':
      return from?.kind === 'queue' ? receivesOf(from) : readsOf(element, from)
    case 'dead-letter':
      return 1
    default:
      return element satisfies never
  }
}

/**
 * For how many seconds what goes over an element is tried again while its target fails: of a queue until the receives are
 * used up or the retention ends, of a stream until its records expire, of a delivery until attempts or age end.
 */
export function windowOf(element: MeshElement, from: MeshNode | undefined): number {
  if (element.kind === 'delivery')
    return element.retry.interval > 0 ? Math.min(element.maxAge, waitsOf(element.retry)) : element.maxAge
  if (element.kind !== 'poll') return 0
  const retention = retentionOf(from)
  if (from?.kind !== 'queue') return Math.min(retention, element.maxAge ?? retention)
  const { maxReceiveCount, visibility } = from.settings
  return maxReceiveCount === undefined ? retention : Math.min(retention, maxReceiveCount * visibility)
}

/** How long what waits is kept, seconds. A poll that is refused counts as a receive: it is given up after the last of them. */
export function patienceOver(
  element: MeshElement | undefined,
  from: MeshNode | undefined,
  refused: boolean,
): number {
  if (element?.kind === 'delivery') return element.maxAge
  if (element?.kind !== 'poll') return Number.POSITIVE_INFINITY
  return refused && from?.kind === 'queue' ? windowOf(element, from) : retentionOf(from)
}
