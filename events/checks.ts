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
  const faults = names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => `${name} has two routes: give each subscriber one`)
  for (const route of routes) {
    const say = (fault: string) => faults.push(`route ${route.subscriber}: ${fault}`)
    if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(route.subscriber)) say('a name is at most 40 of a-z, 0-9 and -')
    if (route.batch < 1 || route.batch > 10) say(`batch ${route.batch}: expected 1 to 10`)
    if (route.concurrency < 2) say(`concurrency ${route.concurrency}: SQS mappings take at least 2`)
    if (route.attempts < 1 || route.attempts > 20) say(`attempts ${route.attempts}: expected 1 to 20`)
    if (route.timeout < 1 || route.timeout > 900) say(`timeout ${route.timeout} s: expected 1 to 900`)
    if (route.kind === 'workflow' && route.effect !== 'outside') say('a workflow is of effect outside')
    for (const type of [...route.types, ...route.emits])
      if (typeof type === 'string' ? declared.has(type) : !declared.has(type.type))
        say(
          typeof type === 'string'
            ? `${type} is declared: import its type instead of naming it`
            : `${type.type} is not in events/catalogue.ts`,
        )
  }
  return faults
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
