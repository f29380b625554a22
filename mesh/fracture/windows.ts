import type { MeshElement, MeshNode, Retry } from '../model.ts'
import { tableStream } from '../static/demand.ts'

/** Seconds that a caller waits between its attempts, together. */
export function waitsOf({ attempts, interval, backoff, maxDelay }: Retry): number {
  let [sum, wait] = [0, interval]
  for (let attempt = 1; attempt < Math.min(attempts, 1000); attempt++) {
    sum += Math.min(wait, maxDelay ?? Number.POSITIVE_INFINITY)
    wait *= backoff
  }
  return sum
}

/** Whether something keeps what goes over the element until its target has taken it. */
export const isHeld = ({ kind }: MeshElement): boolean => kind === 'poll' || kind === 'delivery'

/**
 * For how many seconds what goes over an element is tried again while its target fails: of a queue until the receives are
 * used up or the retention ends, of a stream until its records expire, of a delivery until attempts or age end.
 */
export function windowOf(element: MeshElement, from: MeshNode): number {
  if (element.kind === 'delivery')
    return element.retry.interval > 0 ? Math.min(element.maxAge, waitsOf(element.retry)) : element.maxAge
  if (element.kind !== 'poll') return 0
  if (from.kind === 'queue') {
    const { maxReceiveCount, visibility, retention } = from.settings
    return maxReceiveCount === undefined ? retention : Math.min(retention, maxReceiveCount * visibility)
  }
  const retention = from.kind === 'stream' ? from.settings.retention : tableStream
  return Math.min(retention, element.maxAge ?? retention)
}
