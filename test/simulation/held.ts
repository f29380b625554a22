import { type Job, jobOf } from '../../core/job/job.ts'
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
/** What has left the routes has no queue, and what was on its way to it is not sent again. */
export const isDeployed = ({ stage }: Held, subscriber: string): boolean =>
  stage.deployed().some((route) => route.subscriber === subscriber)
export const routeOf = ({ stage }: Held, subscriber: string): Route | undefined =>
  stage.everybody.find((route) => route.subscriber === subscriber)

/** All that people have asked for, as it stands. */
export const jobsIn = ({ stage }: Held): { project: string; job: Job }[] =>
  stage.stored.real.memory.all().records.flatMap((record) => {
    const job = record.kind === 'job' ? jobOf(record) : undefined
    return job === undefined ? [] : [{ project: record.project, job }]
  })
