import type { RecordedEvent } from '../../events/envelope.ts'
import type { DataOf, EventType } from '../../events/event-type.ts'
import type { Route } from '../../events/route.ts'
import type { Memory, MemoryWrite } from '../ports.ts'

/** What a handler is given: the event, and its data in the newest version, typed by `type`. */
export type Handled<R extends Route> = HandledType<Extract<R['types'][number], EventType>>

type HandledType<T extends EventType> = T extends EventType
  ? {
      type: T['type']
      data: DataOf<T>
      event: RecordedEvent
      /** the same at every attempt; send it along to whatever is acted on */
      idempotencyKey: string
      /** the event's own, or one made from its story: the same for all of a story */
      traceparent: string
      /** '' for the live delivery */
      replay: string
      /** of a workflow's run: 1 unless somebody retried it */
      attempt: number
      /** when the handling began, ISO 8601 */
      now: string
    }
  : never

/** An event to be emitted; identity, story, hops and actor are filled in from what is being handled. */
export type Emission<T extends EventType = EventType> = T extends EventType
  ? { type: T; data: DataOf<T>; subject?: string }
  : never

/**
 * Effect state: the records to write and the events that say so, committed together with the delivery's mark.
 * `sequence` is the version of the aggregate whose events these are.
 */
export type Change<T extends EventType = EventType> = {
  writes: readonly MemoryWrite[]
  emits: readonly Emission<T>[]
  sequence: number
}

/** Effect outside: acts, and answers what to emit. */
export type OutsideHandler<R extends Route> = (
  handled: Handled<R>,
) => Promise<readonly Emission<R['emits'][number]>[]>

/** Effect state: reads memory, decides, and answers the change; it writes nothing itself. */
export type StateHandler<R extends Route> = (
  handled: Handled<R>,
  memory: Pick<Memory, 'get'>,
) => Promise<Change<R['emits'][number]> | undefined>

/** What consume hands over, before a route's types are known. */
export type HandledAny = {
  type: string
  data: unknown
  event: RecordedEvent
  idempotencyKey: string
  traceparent: string
  replay: string
  attempt: number
  now: string
}

export type HandlerAny = (
  handled: HandledAny,
  memory: Pick<Memory, 'get'> | undefined,
) => Promise<readonly Emission[] | Change | undefined>

export type HandlerOf<R extends Route> = R['effect'] extends 'state' ? StateHandler<R> : OutsideHandler<R>
