import * as z from 'zod'
import { selectionShape } from '../../events/delivery.ts'
import { type Counts, nonZero, sumOf } from '../counts.ts'
import type { Job } from '../job/job.ts'
import type { Bodies, Clock } from '../ports.ts'
import { flying, likes } from './redrive-following.ts'
import { heldLanes } from './redrive-lanes.ts'
import type { SliceDeps } from './redrive-slice.ts'
import { place } from './selection.ts'

/** What a job of kind redrive is to be done with. */
export const redriveSelection = z.object({
  state: z.enum(['dead', 'parked']),
  subscribers: z.array(z.string()),
  /** ends when so many of those that were sent die again of the same */
  stopAfter: z.number().int().min(1).default(10),
  ...selectionShape,
})

const deliveryKey = z.object({
  source: z.string(),
  id: z.string(),
  subscriber: z.string(),
  replay: z.string(),
})

const redriveProgress = z.object({
  /** where the walk through what is open goes on; undefined at its beginning */
  at: place.optional(),
  walked: z.boolean().default(false),
  /** about to be sent: noted before, so that a crash in between loses none from the counts */
  pending: z.array(deliveryKey).default([]),
  lanes: heldLanes.default([]),
  flying: flying.default([]),
  likes: likes.default({}),
  /** when all had been sent */
  sent: z.iso.datetime().optional(),
})
export type Progress = z.infer<typeof redriveProgress>

export const progressOf = (job: Job): Progress => redriveProgress.parse(job.progress ?? {})

export type RedriveDeps = SliceDeps & {
  bodies: Bodies
  clock: Clock
  pause: (milliseconds: number) => Promise<void>
}

export const added = ({ counts }: Job, more: Counts): Job['counts'] => ({
  ...nonZero(sumOf<Counts>(counts, more)),
})
