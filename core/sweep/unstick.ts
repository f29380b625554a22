import type { Route } from '../../events/route.ts'
import type { SendDeps } from '../gate/send.ts'
import { type Control, controlOf, controlRecord, heldBack } from '../hold/control.ts'
import type { Lanes } from '../lane/lane.ts'
import { isBeingReleased } from '../mend/release-under-way.ts'
import type { Memory, Workflows } from '../ports.ts'
import type { Counts } from './sweep-open.ts'

/** The depth of a queue is to be as of when it was first asked after: what a pass sends is no backlog. */
export type StuckDeps = Omit<SendDeps, 'memory'> & { memory: Memory; lanes: Lanes; workflows: Workflows }

/** One subscriber that a pass looks after. */
export type Looked = {
  project: string
  route: Route
  open: Counts[string] | undefined
  isOver: () => boolean
}

/** What holds back some of its deliveries, if anything; undefined while all of them are held back, or being sent. */
export async function controlOfFree(
  { project, route }: Looked,
  deps: StuckDeps,
): Promise<Control | undefined> {
  const control = controlOf(await deps.memory.get(controlRecord(project, route.subscriber)))
  if (heldBack(control, '') !== undefined) return undefined
  return (await isBeingReleased(project, route.subscriber, deps)) ? undefined : control
}
