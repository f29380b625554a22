import type { Identity } from '../events/envelope.ts'
import { Failure } from './errors.ts'
import type { History, StoredEvent } from './ports.ts'

/**
 * Events for work on many: one that newer code wrote is `unreadable` by itself, and must not hold up all the others.
 * Undefined where there is none; in the order asked.
 */
export async function readEvents(
  identities: readonly Identity[],
  history: Pick<History, 'getEvents'>,
): Promise<(StoredEvent | 'unreadable' | undefined)[]> {
  if (identities.length === 0) return []
  try {
    return await history.getEvents(identities)
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'NewerVersion')) throw error
    if (identities.length === 1) return ['unreadable']
  }
  // halves, so that few unreadable ones among many cost few reads
  const middle = Math.ceil(identities.length / 2)
  const halves = [identities.slice(0, middle), identities.slice(middle)]
  return (await Promise.all(halves.map((half) => readEvents(half, history)))).flat()
}
