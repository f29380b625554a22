import type { MeshElement, MeshNode } from '../model.ts'
import type { Extra, Moments } from './times.ts'

/** What each attempt waits for anew: a batch to gather, then a server; `lasts`: how long waits of a server stay alike, seconds. */
export type Anew = { gathers: Moments; waits: Moments; lasts: number }

/** Attempts that are left out: of so few messages nothing is told. */
const negligible = 1e-6
const mostAttempts = 200

/**
 * What goes over an element waits beside its way: for its delay in the queue, and for the attempts that fail before one goes
 * well. Of q failing each by itself k attempts are needed with q^(k-1)(1 - q)/(1 - qⁿ); what is given up has no delay.
 * `mean`: of an attempt, seconds. Who comes back to a long queue finds it long: the wait of one attempt and that of the next, t
 * seconds later, are correlated by e^(-t/`lasts`).
 */
export function extrasOver(
  element: MeshElement,
  from: MeshNode | undefined,
  { fails, attempts, mean, anew }: { fails: number; attempts: number; mean: number; anew: Anew | null },
): Extra[] {
  const delay = element.kind === 'poll' && from?.kind === 'queue' ? from.settings.delay : 0
  const gap = gapsOf(element, from, mean)
  const extras: Extra[] = []
  let [seconds, chance, all] = [delay, 1, 0]
  // together with the first, of which both moments are known already: Var ΣWᵢ, and ΣᵢCov(Wᵢ, the next one)
  let [waited, shared] = [anew?.waits.variance ?? 0, 0]
  for (let attempt = 1; attempt <= Math.min(attempts, mostAttempts) && chance > negligible; attempt++) {
    const more = anew && {
      mean: (attempt - 1) * (anew.gathers.mean + anew.waits.mean),
      variance: (attempt - 1) * anew.gathers.variance + waited - anew.waits.variance,
    }
    extras.push({ seconds, chance, ...(more && { more }) })
    all += chance
    seconds += gap(attempt)
    chance *= fails
    if (anew === null) continue
    const alike = anew.lasts > 0 ? Math.exp(-(gap(attempt) + anew.waits.mean) / anew.lasts) : 0
    shared = (shared + anew.waits.variance) * alike
    waited += anew.waits.variance + 2 * shared
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
