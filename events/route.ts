import type { RecordedEvent } from './envelope.ts'
import type { DataOf, EventType } from './event-type.ts'

/** Lets only some events of one type through; `matches` sees the newest version of the data. */
export type Condition = { type: string; matches: (data: never) => boolean }

export const only = <Type extends EventType>(
  eventType: Type,
  matches: (data: DataOf<Type>) => boolean,
): Condition => ({ type: eventType.type, matches })

/** Who gets what, and how. Queue, mapping, permissions and docs are derived from it. */
export type Route = {
  /** the folder under functions/, or the file under statemachines/ */
  subscriber: string
  kind: 'function' | 'workflow'
  /** declared types, or the bare name of a type that nobody has declared */
  types: readonly (EventType | string)[]
  /** conditions by type; a type without one always matches */
  when?: readonly Condition[]
  /**
   * state: what it changes and emits is committed with the delivery's mark, exactly once.
   * outside: it acts on something else, at least once, with one stable idempotency key.
   */
  effect: 'state' | 'outside'
  /** messages per invocation, 1 to 10 */
  batch: number
  /** batches at once, at least 2 */
  concurrency: number
  /** runs before a delivery is dead */
  attempts: number
  /** seconds one invocation may take */
  timeout: number
  emits: readonly EventType[]
  /** why a cycle through this subscriber ends */
  loop?: string
  /** one after the other per partition key, in sequence: for types of ours that declare `ordered` alone */
  ordered?: boolean
  /** what its handling needs to answer, by event, where that is more than one thing: each has a circuit of its own */
  downstream?: (event: RecordedEvent) => string
  /** why it cannot be paused: what mends others must run when they do not */
  unpausable?: string
}

/**
 * How often the queue of an unordered route hands a message over before it is a dead letter: receives that come to nothing
 * are not all attempts.
 */
export const mostReceives = ({ attempts }: Pick<Route, 'attempts'>): number => attempts + 3

export const typeName = (type: EventType | string): string => (typeof type === 'string' ? type : type.type)

const takes = (route: Route, type: string, data: unknown): boolean =>
  route.types.some((wanted) => typeName(wanted) === type) &&
  (route.when ?? []).every((condition) => condition.type !== type || condition.matches(data as never))

/** The subscribers that an event of this type and (newest, parsed) data is for. */
export const subscribersOf = (routes: readonly Route[], type: string, data: unknown): string[] =>
  routes.filter((route) => takes(route, type, data)).map((route) => route.subscriber)

/** Whether a queue keeps order: that of a subscriber whose route asks for it. */
export const orderedIn =
  (routes: readonly Route[]) =>
  (queue: string): boolean =>
    routes.some(({ subscriber, ordered }) => subscriber === queue && ordered === true)
