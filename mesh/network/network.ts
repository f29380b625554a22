import * as z from 'zod'
import { faultsOf, MeshError, membersOnly } from '../faults.ts'
import { listed } from '../listed.ts'
import { nearest } from '../nearest.ts'
import type { Station } from '../queueing/station.ts'

/** Beyond these, squares and products are no numbers any more. */
const [smallest, largest] = [1e-60, 1e60]
const sized = (unit: string, expected: string, few: string) =>
  z
    .number(expected)
    .gt(0, few)
    .min(smallest, `${few}: at least ${smallest}`)
    .max(largest, `expected at most ${largest} ${unit}`)
const seconds = sized('seconds', 'expected seconds as a number, such as 0.04', 'expected more than 0 seconds')
const variation = z
  .number('expected a squared coefficient of variation, such as 1')
  .min(0, 'a squared coefficient of variation is 0 or more')
  .max(largest, `expected at most ${largest}`)
const rate = sized(
  'per second',
  'expected arrivals per second as a number',
  'expected more than 0 per second; leave out what does not arrive',
)
/** Beyond these, those who count one server after the other take too long. */
const mostServers = 1_000_000
const count = (least: number, what: string) =>
  z.int(`expected ${what} as a whole number`).min(least, `expected ${what}, ${least} or more`)

const node = membersOnly({
  servers: count(1, 'servers')
    .max(mostServers, `expected at most ${mostServers} servers; one for everybody is a "delay"`)
    .nullish(),
  service: z.record(
    z.string(),
    z.union([seconds, z.strictObject({ mean: seconds, scv: variation.optional() })], {
      error: 'expected seconds above 0, such as 0.04, or {"mean": 0.04, "scv": 2} with scv 0 or more',
    }),
    'expected a service time for each class, such as {"job": 0.04}',
  ),
  scv: variation.default(1),
  discipline: z
    .enum(['fifo', 'ps', 'delay', 'loss'], 'expected "fifo", "ps", "delay" or "loss"')
    .default('fifo'),
  buffer: count(0, 'places to wait').nullish(),
}).superRefine(({ discipline, buffer, servers }, context) => {
  const none = (member: string, why: string) =>
    context.addIssue({ code: 'custom', path: [member], message: `${why}: leave it out` })
  if (discipline === 'delay' && typeof servers === 'number')
    none('servers', 'a "delay" has a server for everybody')
  if (discipline !== 'delay' && servers === null)
    none('servers', `null is none; a server for everybody is a "delay", and one is what is meant without it`)
  if (discipline === 'delay' && typeof buffer === 'number') none('buffer', 'nobody waits at a "delay"')
  if (discipline === 'loss' && typeof buffer === 'number' && buffer > 0)
    none('buffer', 'a "loss" takes nobody to wait; with places it is a "fifo"')
})

const text = z.string('expected a name')
const route = membersOnly({
  from: text,
  to: text,
  class: text,
  probability: z
    .number('expected a probability, such as 0.5')
    .gt(0, 'expected more than 0')
    .max(1, 'a probability is at most 1')
    .default(1),
  becomes: text.optional(),
})

const document = membersOnly({
  nodes: z.record(text, node, 'expected nodes by their names'),
  routes: z.array(route, 'expected a list of routes').default([]),
  arrivals: z.record(
    text,
    z.record(
      text,
      z.union([rate, z.strictObject({ rate, scv: variation })], {
        error:
          'expected arrivals per second above 0, or {"rate": 4, "scv": 0.5}; leave out what does not arrive',
      }),
      'expected arrivals for each class, such as {"job": 4}',
    ),
    'expected arrivals by their nodes',
  ),
})

/** A node as it is analysed: every class with its own service. */
export type NetworkNode = Station & { service: Readonly<Record<string, { mean: number; scv: number }>> }

type NetworkRoute = { from: string; to: string; class: string; becomes: string; probability: number }

/** Jobs of several classes among stations; see docs/mesh.md for the notation. */
export type Network = {
  nodes: Readonly<Record<string, NetworkNode>>
  routes: readonly NetworkRoute[]
  arrivals: readonly { node: string; class: string; rate: number; scv: number }[]
}

/** Reads a network in its notation; throws a MeshError that names each fault. `where` names the file. */
export function parseNetwork(where: string, value: unknown): Network {
  const parsed = document.safeParse(value)
  if (!parsed.success) throw faultsOf(where, parsed.error)
  const { nodes, routes, arrivals } = parsed.data
  const network: Network = {
    nodes: Object.fromEntries(
      Object.entries(nodes).map(([name, { servers, service, scv, discipline, buffer }]) => [
        name,
        {
          servers: servers ?? 1,
          discipline,
          buffer: buffer ?? null,
          service: Object.fromEntries(
            Object.entries(service).map(([kind, time]) => [
              kind,
              typeof time === 'number' ? { mean: time, scv } : { mean: time.mean, scv: time.scv ?? scv },
            ]),
          ),
        },
      ]),
    ),
    routes: routes.map((given) => ({ ...given, becomes: given.becomes ?? given.class })),
    arrivals: Object.entries(arrivals).flatMap(([name, classes]) =>
      Object.entries(classes).map(([kind, given]) => ({
        node: name,
        class: kind,
        ...(typeof given === 'number' ? { rate: given, scv: 1 } : given),
      })),
    ),
  }
  const faults = contradictions(network)
  if (faults.length > 0) throw new MeshError(`${where}: ${faults.join('\n  ')}`)
  return network
}

/** A member of its own: not what every object has, such as `constructor`. */
export const ownOf = <Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

function contradictions({ nodes, routes, arrivals }: Network): string[] {
  const faults: string[] = []
  const near = (name: string, names: readonly string[]) => {
    const alike = nearest(name, names)
    if (alike.length > 0) return `near it: ${alike.join(', ')}`
    return `there ${names.length === 1 ? 'is' : 'are'} ${listed(names)}`
  }
  const expectNode = (path: string, name: string): NetworkNode | undefined => {
    const found = ownOf(nodes, name)
    if (found === undefined)
      faults.push(`${path}: there is no node ${name}; ${near(name, Object.keys(nodes))}`)
    return found
  }
  const expectClass = (path: string, name: string, found: NetworkNode | undefined, kind: string) => {
    if (found === undefined || ownOf(found.service, kind) !== undefined) return
    const kinds = Object.keys(found.service)
    faults.push(
      `${path}: node ${name} has no service time for class ${kind}: ${kinds.length === 0 ? '' : `${near(kind, kinds)}; or `}add nodes.${name}.service.${kind}`,
    )
  }
  if (arrivals.length === 0) faults.push('arrivals: nothing arrives, so there is nothing to analyse')
  for (const { node: name, class: kind } of arrivals)
    expectClass(`arrivals.${name}.${kind}`, name, expectNode(`arrivals.${name}`, name), kind)
  const leaving = new Map<string, { what: string; sum: number }>()
  routes.forEach(({ from, to, class: kind, becomes, probability }, index) => {
    expectClass(`routes.${index}.class`, from, expectNode(`routes.${index}.from`, from), kind)
    const place = becomes === kind ? 'to' : 'becomes'
    expectClass(`routes.${index}.${place}`, to, expectNode(`routes.${index}.to`, to), becomes)
    const key = JSON.stringify([from, kind])
    const sum = (leaving.get(key)?.sum ?? 0) + probability
    leaving.set(key, { what: `${from}, class ${kind}`, sum })
  })
  for (const { what, sum } of leaving.values())
    if (sum > 1 + 1e-9)
      faults.push(`routes: the probabilities from ${what} come to ${Number(sum.toFixed(6))}, more than 1`)
  return faults
}
