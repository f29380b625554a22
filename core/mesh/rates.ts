import type { EventType } from '../../events/event-type.ts'
import { type Route, typeName } from '../../events/route.ts'
import { executionChanged } from '../../mesh/aws-events.ts'
import type { Measured } from '../books/rates.ts'

/** Of one invocation: milliseconds, squared coefficient of variation, messages, and how many there were. */
export type Time = {
  mean: number
  scv: number
  batch: number | undefined
  /** milliseconds that each message takes of the mean; undefined: not known */
  each?: number | undefined
  count: number
  /**
   * of `count`, those that began an environment, and the milliseconds of one with it: they are in none of the means;
   * undefined: nobody tells them apart
   */
  begun?: { count: number; ms: number }
}
export type Times = { of: ReadonlyMap<string, Time>; from: string; notes: readonly string[] }

export type Given = {
  window: { since: string; until: string }
  events: number
  left: number
  measured: Measured
  times: Times
  routes: readonly Route[]
  producers: Readonly<Record<string, readonly EventType[]>>
}

type Send = { from: string; to: string; type: string; per?: string; ratio: number; measured: true }

/** What brings an event to which part of the gate, by the names of the mesh. */
const gateOf: Readonly<Record<string, string>> = {
  http: 'ingest',
  bus: 'record',
  emit: 'record',
  states: 'record',
  outbox: 'relay',
  edit: 'relay',
}
const isCommitted = (door: string): boolean => gateOf[door] === 'relay'

/** The rates (docs/mesh.md) of what was measured, for the mesh of our app; and what they stand on and lack. */
export function ratesOf(given: Given): { document: object; notes: readonly string[] } {
  const { window, events, left, measured, times, routes } = given
  const seconds = (Date.parse(window.until) - Date.parse(window.since)) / 1000
  const perSecond = (count: number) => rounded(count / seconds)
  const failures = Map.groupBy(measured.handled, ({ subscriber }) => subscriber)
  const isFunction = (name: string) =>
    routes.some(({ subscriber, kind }) => subscriber === name && kind === 'function')
  const document = {
    version: 1,
    arrivals: arrivalsOf(given, perSecond),
    service: Object.fromEntries(
      [...times.of].flatMap(([name, { mean, scv, batch, each }]) =>
        mean > 0
          ? [
              [
                name,
                {
                  mean: `${rounded(mean)}ms`,
                  scv: rounded(scv),
                  ...(batch !== undefined && batch >= 1 && { batch: rounded(batch) }),
                  ...(each !== undefined && { each: each === 0 ? 0 : `${rounded(each)}ms` }),
                },
              ],
            ]
          : [],
      ),
    ),
    failures: Object.fromEntries(
      [...failures].flatMap(([subscriber, rows]) => {
        const failed = total(rows.map((row) => row.failed))
        const part = rounded(failed / total(rows.map((row) => row.attempts)))
        return failed > 0 && isFunction(subscriber) ? [[subscriber, part]] : []
      }),
    ),
    sends: [...gateSends(given), ...handlerSends(given), ...countedElsewhere(given)],
  }
  const causes = measured.arrived.filter(({ door }) => door === 'emit')
  const unexplained =
    total(causes.map(({ count }) => count)) -
    total(measured.emitted.filter(({ door }) => door === 'emit').map(({ count }) => count))
  const notes = [
    `Measured from ${window.since} to ${window.until}: ${events} events of the history; times by ${times.from}.`,
    ...(left > 0
      ? [`${left} events were listed and not there, or could not be read: they are not counted.`]
      : []),
    ...(unexplained > 0
      ? [
          `${unexplained} events were emitted by something that is no longer in the history: they are not counted.`,
        ]
      : []),
    ...times.notes,
    'Not measured: how often states of a workflow behind a Choice run, what is written to tables beside events and',
    'marks, bodies over 64 KB, and requests to the API that make no event.',
  ]
  return { document, notes }
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)
const rounded = (value: number): number => Number(value.toPrecision(4))

/** From outside: what came by the doors, and what was committed that no handler emitted. */
function arrivalsOf({ measured }: Given, perSecond: (count: number) => number) {
  const counts = (wanted: (door: string) => boolean, less: ReadonlyMap<string, number> = new Map()) => {
    const byType = Map.groupBy(
      measured.arrived.filter(({ door }) => wanted(door)),
      ({ type }) => type,
    )
    return Object.fromEntries(
      [...byType].flatMap(([type, rows]) => {
        const count = total(rows.map((row) => row.count)) - (less.get(type) ?? 0)
        return count > 0 ? [[type, perSecond(count)]] : []
      }),
    )
  }
  const caused = new Map<string, number>()
  for (const { door, type, count } of measured.emitted)
    if (isCommitted(door)) caused.set(type, (caused.get(type) ?? 0) + count)
  return {
    http: counts((door) => door === 'http'),
    inbox: counts((door) => door === 'bus'),
    'memory-table': counts(isCommitted, caused),
  }
}

export const queueOf = ({ subscriber, ordered }: Route): string =>
  `${subscriber}${ordered ? '-ordered' : ''}-queue`

/** What the gate sent on, where the template does not say it: of types that a route takes in some cases only. */
function gateSends({ measured, routes, producers }: Given): Send[] {
  // of runs, also how none of them ended
  const statuses = measured.arrived.some(({ door }) => door === 'states')
    ? (producers['Step Functions status events'] ?? []).map(({ type }) => ({
        door: 'states',
        type,
        count: 0,
      }))
    : []
  const arrived = Map.groupBy([...measured.arrived, ...statuses], ({ door, type }) => keyOf(door, type))
  return [...arrived].flatMap(([key, rows]) => {
    const [first] = rows
    if (first === undefined) return []
    const { type, door } = first
    const ofStates = door === 'states'
    const all = ofStates
      ? total(measured.arrived.flatMap((row) => (row.door === 'states' ? [row.count] : [])))
      : total(rows.map(({ count }) => count))
    return routes
      .filter(({ types }) => types.some((taken) => typeName(taken) === type))
      .flatMap((route) => {
        const sent = measured.sent.filter(
          (row) => row.subscriber === route.subscriber && keyOf(row.door, row.type) === key,
        )
        const ratio = total(sent.map(({ count }) => count)) / all
        const isSaid = !ofStates && ratio === 1 && !route.when?.some((condition) => condition.type === type)
        return isSaid
          ? []
          : [send(gateOf[door] ?? 'record', queueOf(route), type, ofStates ? executionChanged : type, ratio)]
      })
  })
}

const keyOf = (door: string, type: string): string =>
  `${gateOf[door]} ${door === 'states' ? 'states ' : ''}${type}`

const send = (from: string, to: string, type: string, per: string | undefined, ratio: number): Send => ({
  ...{ from, to, type, ...(per !== undefined && { per }) },
  ...{ ratio: rounded(ratio), measured: true },
})

/** What each subscriber emitted for each type that it handled; nothing seen is nothing sent. */
function handlerSends({ measured, routes }: Given): Send[] {
  return routes.flatMap(({ subscriber, kind, effect, emits }) => {
    const from = kind === 'workflow' ? `${subscriber}-workflow` : subscriber
    const handled = measured.handled.filter((row) => row.subscriber === subscriber)
    return handled.flatMap(({ type: per, count }) =>
      emits.flatMap(({ type }) => {
        const seen = measured.emitted.filter(
          (row) => row.by === subscriber && row.per === per && row.type === type,
        )
        const isState = seen.length > 0 ? seen.some(({ door }) => isCommitted(door)) : effect === 'state'
        const to = isState ? 'memory-table' : 'record-queue'
        return [send(from, to, type, per, total(seen.map((row) => row.count)) / count)]
      }),
    )
  })
}

/** How the producers of events are called that are functions, and no subscribers. */
const functions = 'functions/'

/** What these commit is among the arrivals of memory, or counted at the workflow that they work for. */
function countedElsewhere({ producers, routes }: Given): Send[] {
  const of = (name: string, types: readonly EventType[]) =>
    types.map(({ type }) => send(name, 'memory-table', type, undefined, 0))
  const runs = routes.filter(({ kind }) => kind === 'workflow')
  return [
    ...Object.entries(producers).flatMap(([name, types]) =>
      name.startsWith(functions) ? of(name.slice(functions.length), types) : [],
    ),
    ...of(
      'request-approval',
      runs.flatMap(({ emits }) => emits),
    ),
  ]
}
