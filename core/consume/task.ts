import type { Route } from '../../events/route.ts'
import { identityOf } from '../event/admit.ts'
import type { Emission, HandlerAny } from '../event/handler.ts'
import type { DeliveryFrame } from '../frame.ts'
import type { Controls } from '../hold/control.ts'
import type { LaneKey, Lanes } from '../lane/lane.ts'
import type { Bodies, Clock, Delivery, DeliveryKey, History, Memory, Queues, Random } from '../ports.ts'
import type { Results } from './results.ts'

export type ConsumeDeps = {
  history: History
  /** needed where the route's effect is state */
  memory?: Memory | undefined
  /** needed where the route is ordered */
  lanes?: Lanes | undefined
  queues: Queues
  bodies: Bodies
  clock: Clock
  random: Random
  /** whether deliveries are run now; without them they always are */
  controls?: Controls | undefined
  /** waits for others who change the same; without it a lost race is for the next receive */
  pause?: ((milliseconds: number) => Promise<void>) | undefined
  /** milliseconds until the process is stopped; without it the timeout of the route */
  remaining?: (() => number) | undefined
}

/** A message as the queue hands it over; `receiveCount` is 1 at the first time. */
export type Message = { body: string; receiveCount: number }

/**
 * What became of a message. `again` is set when it must be seen again: in so many seconds.
 * already: it had been handled before, or waits elsewhere. parked: it is not run now, and sent anew when it may be.
 * held: not run, because one before it in its lane is tried again first; hidden for just as long, so that they come
 * back together. unreadable: no message of ours; it ends among the dead letters, as it came.
 * `reason` is for logs: it shows no values of the event, as the one in the delivery does.
 */
export type Consumed = {
  outcome: 'done' | 'already' | 'dead' | 'parked' | 'retrying' | 'held' | 'unreadable'
  again?: number
  key?: DeliveryKey
  reason?: string
  /** of retrying: others won its races, and that was no attempt */
  contended?: true
}

/** A message and what lies in it; `index`: its place in the batch. `behind`: another one is handled before it. */
export type Received = { index: number; message: Message; frame: DeliveryFrame; behind?: boolean }

/** One message being handled, in one attempt. */
export type Task = {
  frame: DeliveryFrame
  message: Message
  key: DeliveryKey
  existing: Delivery | undefined
  now: string
  /** which run this is: of an unordered route by the receive count, of an ordered one by the delivery's mark */
  attempts: number
  /** of an ordered route: this attempt is written down, or needs not be */
  begun?: boolean | undefined
  /** of an ordered route: where it stands in line */
  place?: { lane: LaneKey; sequence: number } | undefined
  /** what its handling needs to answer */
  downstream: string
  /** others of its batch were handled before it, and may have taken its time */
  behind: boolean
}

/** All that the handling of one batch goes by. */
export type Batch = {
  route: Route
  handler: HandlerAny
  deps: ConsumeDeps
  results: Results
  /** until when lost races are waited out: ISO 8601 */
  patience: string
  /**
   * from when on nothing is begun: what is left is for what has begun, and for the marks. ISO 8601; it is now when one has
   * waited in vain for others
   */
  deadline: string
}

export const isLate = ({ deps, deadline }: Batch): boolean => deps.clock() >= deadline

/** Acted on the outside; its emissions are not sent and its mark is not written yet. */
export type Acted = { task: Task; emissions: readonly Emission[] }

/** Failed at its last attempt: whether it is dead or parked is decided when the batch has been reported. */
export type Spent = { task: Task; spent: { error: unknown } }

export const taskOf = ({ route, deps }: Batch, { message, frame, behind = false }: Received): Task => ({
  frame,
  message,
  key: { ...identityOf(frame.event), subscriber: route.subscriber, replay: frame.replay },
  existing: undefined,
  now: deps.clock(),
  attempts: message.receiveCount,
  downstream: '',
  behind,
})
