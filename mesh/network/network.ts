import * as z from 'zod'
import { faultsOf, MeshError } from '../faults.ts'
import type { Station } from '../queueing/station.ts'

const seconds = z
  .number('expected seconds as a number, such as 0.04')
  .positive('expected more than 0 seconds')
const variation = z.number().min(0, 'a squared coefficient of variation is 0 or more')
const rate = z
  .number('expected arrivals per second as a number')
  .positive('expected more than 0 per second; leave out what does not arrive')

const node = z.strictObject({
  servers: z.int().min(1).nullish(),
  service: z.record(
    z.string(),
    z.union([seconds, z.strictObject({ mean: seconds, scv: variation.optional() })], {
      error: 'expected seconds above 0, such as 0.04, or {"mean": 0.04, "scv": 2} with scv 0 or more',
    }),
  ),
  scv: variation.default(1),
  discipline: z.enum(['fifo', 'ps', 'delay', 'loss']).default('fifo'),
  buffer: z.int().min(0).nullish(),
})

const route = z.strictObject({
  from: z.string(),
  to: z.string(),
  class: z.string(),
  probability: z.number().gt(0, 'expected more than 0').max(1, 'a probability is at most 1').default(1),
  becomes: z.string().optional(),
})

const document = z.strictObject({
  nodes: z.record(z.string(), node),
  routes: z.array(route).default([]),
  arrivals: z.record(
    z.string(),
    z.record(
      z.string(),
      z.union([rate, z.strictObject({ rate, scv: variation })], {
        error:
          'expected arrivals per second above 0, or {"rate": 4, "scv": 0.5}; leave out what does not arrive',
      }),
    ),
  ),
})

/** A node as it is analysed: every class with its own service. */
export type NetworkNode = Station & { service: Readonly<Record<string, { mean: number; scv: number }>> }

export type NetworkRoute = { from: string; to: string; class: string; becomes: string; probability: number }

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

function contradictions({ nodes, routes, arrivals }: Network): string[] {
  const known = Object.keys(nodes).join(', ')
  const faults: string[] = []
  const expectService = (path: string, name: string, kind: string) => {
    const found = nodes[name]
    if (found === undefined) faults.push(`${path}: there is no node ${name}, only ${known}`)
    else if (found.service[kind] === undefined)
      faults.push(
        `${path}: node ${name} has no service time for class ${kind}: add nodes.${name}.service.${kind}`,
      )
  }
  if (arrivals.length === 0) faults.push('arrivals: nothing arrives, so there is nothing to analyse')
  for (const { node: name, class: kind } of arrivals) expectService(`arrivals.${name}.${kind}`, name, kind)
  const leaving = new Map<string, number>()
  routes.forEach(({ from, to, class: kind, becomes, probability }, index) => {
    expectService(`routes.${index}.from`, from, kind)
    expectService(`routes.${index}.to`, to, becomes)
    const key = `${from}, class ${kind}`
    leaving.set(key, (leaving.get(key) ?? 0) + probability)
  })
  for (const [key, sum] of leaving)
    if (sum > 1 + 1e-9)
      faults.push(`routes: the probabilities from ${key} come to ${Number(sum.toFixed(6))}, more than 1`)
  return faults
}
