import type { Route } from '../../events/route.ts'
import { atMost } from '../at-most.ts'
import { type Control, heldBack } from '../hold/control.ts'
import type { Lane, LaneKey } from '../lane/lane.ts'
import { isUnderWay, releaseAnew } from '../lane/released.ts'
import { readEvents } from '../read-events.ts'
import { roundOf } from './go-round.ts'
import { controlOfFree, type Looked, type StuckDeps } from './unstick.ts'

const lanesPerPass = 50
/** Of one subscriber. */
const lanesAtOnce = 10

/**
 * Goes round the closed lanes, some at each pass: many may wait for a person. One that is blocked by something dead
 * stays as it is.
 */
export async function releaseStuckLanes(at: Looked, deps: StuckDeps): Promise<number> {
  const { project, route, isOver } = at
  const { subscriber } = route
  const { from, goOn } = await roundOf(project, `lanes ${subscriber}`, deps.memory)
  const { items, next } = await deps.lanes.closed({ project, subscriber, cursor: from, limit: lanesPerPass })
  const control = items.length === 0 ? undefined : await controlOfFree(at, deps)
  const inTurn = atMost(lanesAtOnce)
  const release = async (lane: LaneKey & Lane, state: Control): Promise<boolean> => {
    if (isOver() || (await isUnderWay(lane, subscriber, deps))) return false
    if (await isHeld(lane, route, state, deps)) return false
    return !('blocked' in (await releaseAnew(lane, deps)))
  }
  const done =
    control === undefined
      ? []
      : await Promise.allSettled(items.map((lane) => inTurn(() => release(lane, control))))
  await goOn(next)
  const failure = done.find((one) => one.status === 'rejected')
  if (failure !== undefined) throw failure.reason
  return done.filter((one) => one.status === 'fulfilled' && one.value).length
}

async function isHeld(lane: LaneKey, route: Route, control: Control, deps: StuckDeps): Promise<boolean> {
  if (route.downstream === undefined) return false
  const [first] = await deps.lanes.waiting(lane, 1)
  const [stored] = first === undefined ? [] : await readEvents([first.key], deps.history)
  if (stored === undefined || stored === 'unreadable') return false
  return heldBack(control, route.downstream?.(stored.event) ?? '') !== undefined
}
