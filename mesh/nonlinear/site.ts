import type { MeshElement } from '../model.ts'
import type { Capacity } from './failing.ts'

/** What comes to a site over one element. */
export type Inflow = {
  element: MeshElement
  /** messages a second at the load factor 1 */
  rate: number
  /** attempts that its caller makes, the first included */
  attempts: number
  /** the caller waits for the answer: it fails when this fails, and each attempt of it comes here again */
  caller: number | null
  /** who sends it as part of its own handling, to what may refuse it: what is refused fails that, and comes again with it */
  sender: number | null
  /** wait and service longer than this fail, seconds */
  patience: number
  /** attempts a second that can come this way: what a poll has servers for */
  cap: number
}

/** A node that handles, or a limit that several nodes share. */
export type Site = {
  at: string
  name: string
  capacity: Capacity
  /** attempts a second that it can do; Infinity: no limit is known */
  can: number
  inflows: Inflow[]
  /** its polls hold back what it could not do */
  held: boolean
  /** the part of attempts that fails by itself */
  fails: number
  /** the part of the services that its own timeout ends */
  ended: number
  /** sites that it asks and waits for: how many calls an attempt, and how often each is tried */
  asks: { site: number; calls: number; attempts: number; sent: boolean }[]
  /** limits that it shares, and the work there of an attempt */
  pools: { pool: number; work: number }[]
  /** of a pool: who shares it */
  members: number[]
  complete: boolean
  notes: string[]
}

export const unlimited = Number.POSITIVE_INFINITY

/** One that nothing comes to yet. */
export const emptySite = (at: string, name: string, capacity: Capacity): Site => ({
  at,
  name,
  capacity,
  can: unlimited,
  inflows: [],
  held: false,
  fails: 0,
  ended: 0,
  asks: [],
  pools: [],
  members: [],
  complete: true,
  notes: [],
})
