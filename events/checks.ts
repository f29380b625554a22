import type { EventType } from './event-type.ts'
import { type Route, typeName } from './route.ts'

/**
 * What is wrong with a catalogue and its routes, each as one sentence with its mend; empty when all is well.
 * Run at synth, so that a deployment cannot carry a type that leads nowhere or a loop that nobody declared.
 */
export function findFaults(
  types: readonly EventType[],
  routes: readonly Route[],
  producers: Readonly<Record<string, readonly EventType[]>>,
): string[] {
  return [...unusedTypes(types, routes, producers), ...badRoutes(types, routes), ...cycles(routes)]
}

function unusedTypes(
  types: readonly EventType[],
  routes: readonly Route[],
  producers: Readonly<Record<string, readonly EventType[]>>,
): string[] {
  const received = new Set(routes.flatMap((route) => route.types.map(typeName)))
  const produced = new Set(
    [...routes.flatMap((route) => route.emits), ...Object.values(producers).flat()].map((type) => type.type),
  )
  return types.flatMap(({ type, origin }) => {
    if (origin === 'outside' && !received.has(type))
      return [`${type} comes from outside and no route receives it: add it to a route or delete its file`]
    if (origin === 'ours' && !produced.has(type))
      return [
        `${type} is ours and nothing produces it: add it to a route's emits or to producers, or delete it`,
      ]
    return []
  })
}

function badRoutes(types: readonly EventType[], routes: readonly Route[]): string[] {
  const declared = new Set(types.map((type) => type.type))
  const names = routes.map((route) => route.subscriber)
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index))
  return [
    ...[...twice].map((name) => `${name} has two routes: give each subscriber one`),
    ...routes.flatMap((route) =>
      [
        ...badSettings(route),
        ...badTypes(route, declared),
        ...badOrder(route),
        ...withoutSequence(route),
      ].map((fault) => `route ${route.subscriber}: ${fault}`),
    ),
  ]
}

const within = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most

/** Queues that are no subscriber's, what the index of open deliveries calls the quarantine, and what commands call every one. */
const reserved = new Set(['record', 'dead-letters', 'bus-dead-letters', 'quarantine', 'all'])

/** Each setting that queues, mappings or names cannot have. */
function badSettings(route: Route): string[] {
  const { subscriber, kind, effect, batch, concurrency, attempts, timeout } = route
  const faults: [boolean, string][] = [
    [!/^[a-z0-9][a-z0-9-]{0,39}$/.test(subscriber), 'a name is at most 40 of a-z, 0-9 and -'],
    [reserved.has(subscriber), 'that name is taken by a queue or a list of ours: choose another'],
    [!within(batch, 1, 10), `batch ${batch}: expected 1 to 10`],
    [!within(concurrency, 2, 1000), `concurrency ${concurrency}: SQS mappings take 2 to 1000`],
    [!within(attempts, 1, 20), `attempts ${attempts}: expected 1 to 20`],
    [!within(timeout, 1, 900), `timeout ${timeout} s: expected 1 to 900`],
    [kind === 'workflow' && effect !== 'outside', 'a workflow is of effect outside'],
  ]
  return faults.flatMap(([applies, fault]) => (applies ? [fault] : []))
}

/** What an ordered route cannot keep in order. */
function badOrder({ kind, attempts, ordered, types }: Route): string[] {
  if (!ordered) return []
  return [
    ...(kind === 'workflow'
      ? ['ordered: a workflow is only started in order, its runs go side by side']
      : []),
    // a lane is closed by what is dead, and an only attempt would close it at every hiccup
    ...(attempts < 2 ? [`attempts ${attempts}: expected 2 to 20 on an ordered route`] : []),
    ...types.flatMap((type) =>
      typeof type === 'string' || type.origin === 'outside'
        ? [`ordered: ${typeName(type)} comes from outside, and only events of ours have a sequence`]
        : type.ordered
          ? []
          : [
              `ordered: ${type.type} does not declare \`ordered: true\`, so its events could not be read back in order`,
            ],
    ),
  ]
}

/** A sequence is the version of what is changed with it: what is emitted beside no change has none, and dies on ordered routes. */
const withoutSequence = ({ effect, emits }: Route): string[] =>
  effect === 'state'
    ? []
    : emits.flatMap(({ type, ordered }) =>
        ordered
          ? [
              `emits ${type}, which is \`ordered\`, and with effect outside it would have no sequence: give the route effect state, or take \`ordered\` off the type`,
            ]
          : [],
      )

function badTypes(route: Route, declared: ReadonlySet<string>): string[] {
  const taken = new Set(route.types.map(typeName))
  return [
    ...[...route.types, ...route.emits].flatMap((type) => badType(type, declared)),
    ...(route.when ?? [])
      .filter((condition) => !taken.has(condition.type))
      .map((condition) => `a condition on ${condition.type}, which it does not take`),
  ]
}

function badType(type: EventType | string, declared: ReadonlySet<string>): string[] {
  if (typeof type === 'string')
    return declared.has(type) ? [`${type} is declared: import its type instead of naming it`] : []
  return declared.has(type.type) ? [] : [`${type.type} is not in events/catalogue.ts`]
}

/** Cycles of "emits what reaches …" in which no subscriber says why the loop ends. */
function cycles(routes: readonly Route[]): string[] {
  const next = (route: Route) =>
    routes.filter((other) =>
      route.emits.some((emitted) => other.types.some((type) => typeName(type) === emitted.type)),
    )
  const faults = new Set<string>()
  const visit = (route: Route, path: readonly Route[]) => {
    const start = path.indexOf(route)
    if (start >= 0) {
      const cycle = path.slice(start)
      if (!cycle.some((member) => member.loop)) {
        const names = cycle.map((member) => member.subscriber)
        const first = names.indexOf([...names].sort()[0] ?? '')
        const ordered = [...names.slice(first), ...names.slice(0, first)]
        faults.add(
          `${[...ordered, ordered[0]].join(' -> ')} is a loop of events: break it, or say in one of these routes \`loop: "why it ends"\``,
        )
      }
      return
    }
    for (const following of next(route)) visit(following, [...path, route])
  }
  for (const route of routes) visit(route, [])
  return [...faults]
}
