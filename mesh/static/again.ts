import type { MeshElement, MeshNode } from '../model.ts'
import type { Extra } from './times.ts'

/** Attempts that are left out: of so few messages nothing is told. */
const negligible = 1e-6
const mostAttempts = 200

/**
 * What goes over an element waits beside its way: for its delay in the queue, and for the attempts that fail before one goes
 * well. Of q failing each by itself k attempts are needed with q^(k-1)(1 - q)/(1 - qⁿ); what is given up has no delay.
 * `mean`: of an attempt, seconds.
 */
export function extrasOver(
  element: MeshElement,
  from: MeshNode | undefined,
  { fails, attempts, mean }: { fails: number; attempts: number; mean: number },
): Extra[] {
  const delay = element.kind === 'poll' && from?.kind === 'queue' ? from.settings.delay : 0
  const gap = gapsOf(element, from, mean)
  const extras: Extra[] = []
  let [seconds, chance, all] = [delay, 1, 0]
  for (let attempt = 1; attempt <= Math.min(attempts, mostAttempts) && chance > negligible; attempt++) {
    extras.push({ seconds, chance })
    all += chance
    seconds += gap(attempt)
    chance *= fails
  }
  return extras.map((extra) => ({ ...extra, chance: extra.chance / all }))
}

/** Seconds from one attempt to the next: a message of a queue comes back when its visibility ends, a record at once. */
export function gapsOf(
  element: MeshElement,
  from: MeshNode | undefined,
  mean: number,
): (attempt: number) => number {
  if (element.kind === 'poll') {
    const gap = from?.kind === 'queue' ? Math.max(from.settings.visibility, mean) : mean
    return () => gap
  }
  if (element.kind === 'dead-letter') return () => 0
  const { interval, backoff, maxDelay = Number.POSITIVE_INFINITY } = element.retry
  return (attempt) => mean + Math.min(interval * backoff ** (attempt - 1), maxDelay)
}
