import type { Delivery, DeliveryKey } from '../../core/ports.ts'
import type { Route } from '../../events/route.ts'
import type { Observed } from './observed.ts'
import type { Stage } from './stage.ts'

/** What invariants are held against: a stage that has come to rest, and what was seen to happen in it. */
export type Held = { stage: Stage; observed: Observed }

/** `id`: of the event that it is about */
export type Wrong = { message: string; id?: string | undefined }

export type Invariant = (held: Held) => Wrong[] | Promise<Wrong[]>

export const marksOf = ({ observed }: Held): (DeliveryKey & Delivery)[] => [...observed.deliveries.values()]
export const eventsOf = ({ observed }: Held) => [...observed.events.values()].map(({ stored }) => stored)
export const routeOf = ({ stage }: Held, subscriber: string): Route | undefined =>
  stage.everybody.find((route) => route.subscriber === subscriber)
