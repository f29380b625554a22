import type { Route } from '../../events/route.ts'
import type { Delivery, Queues } from '../ports.ts'
import { ago, day, minute } from '../time.ts'

/** What sweep and books ask of a delivery that was expected and has come to nothing yet: so they agree. */

/** Younger events may still be on their way. */
export const patience = 15 * minute
/** What a queue keeps: after that, what lay in it is gone however full it is. */
export const queueRetention = 4 * day

/** The depths of queues as of when each was first asked after. */
export function depthsOnce(queues: Pick<Queues, 'depth'>): (queue: string) => Promise<number> {
  const depths = new Map<string, Promise<number>>()
  return (queue) => {
    const depth = depths.get(queue) ?? queues.depth(queue)
    depths.set(queue, depth)
    return depth
  }
}

/** When a delivery was last seen to move: what was sent again long after its event came is as young as that. */
export const lastMoved = (received: string, mark: Pick<Delivery, 'changed'> | undefined): string =>
  mark !== undefined && mark.changed > received ? mark.changed : received

/**
 * A backlog is not a loss: while a queue is not empty, what is missing may lie in it. Not if it came so long ago (`moved`) that
 * the queue has let go of it, and not if the subscriber is in no route any more.
 */
export async function mayBeQueued(
  subscriber: string,
  moved: string,
  world: { now: string; routes: readonly Route[]; depthOf: (queue: string) => Promise<number> },
): Promise<boolean> {
  if (moved < ago(world.now, queueRetention)) return false
  if (!world.routes.some((route) => route.subscriber === subscriber)) return false
  return (await world.depthOf(subscriber)) > 0
}
