import { meshOf } from './assembly/mesh-of.ts'
import type { Assembly } from './assembly/read/template.ts'
import { MeshError } from './faults.ts'
import { findingConstants } from './findings/constants.ts'
import { availabilityConstants, checkAvailability } from './fracture/availability.ts'
import { constants } from './laws/constants.ts'
import { type Loaded, load } from './load.ts'
import { noLoads, parseLoads } from './loads.ts'
import { nearest } from './nearest.ts'
import { parseRates } from './rates-document.ts'

export type UnderLoad = {
  /** where stacks go that name no region; without it they have the least limits of all regions */
  region?: string | undefined
  /** a file of rates as it was parsed, and what errors call it */
  rates?: { where: string; value: unknown } | undefined
}

/**
 * Synthesized apps under what is known of their load: what every analysis takes.
 * @throws MeshError for what is wrong in an assembly or in the rates, with the file, the place in it and what to do
 */
export function underLoad(
  assemblies: Assembly | readonly Assembly[],
  { region, rates }: UnderLoad = {},
): Loaded {
  const mesh = meshOf(assemblies, {
    ...(rates !== undefined && { constants: lawsIn(rates.where, rates.value) }),
    ...(region !== undefined && { region }),
  })
  return load(mesh, rates === undefined ? noLoads : parseLoads(rates.where, rates.value, mesh))
}

/** What is given in the place of numbers of AWS, which the mesh is made with. */
function lawsIn(where: string, value: unknown): Record<string, number> {
  const all = Object.entries(parseRates(where, value).constants)
  const laws = new Set(constants.flatMap(({ name }) => [name, name.split('/')[0] ?? name]))
  const lines = new Set<string>(findingConstants.map(({ name }) => name))
  const promises = new Set<string>(availabilityConstants.map(({ name }) => name))
  const unknown = all
    .map(([name]) => name)
    .filter((name) => ![laws, lines, promises].some((of) => of.has(name)))
  const near = unknown.flatMap((name) =>
    nearest(
      name,
      [laws, lines, promises].flatMap((of) => [...of]),
    ),
  )
  if (unknown.length > 0)
    throw new MeshError(
      `${where}: constants: there is none named ${unknown.join(', ')}${near.length === 0 ? '' : `; near it: ${near.join(', ')}`}; docs/mesh-reference.md lists them with their sources`,
    )
  const named = (of: ReadonlySet<string>) => Object.fromEntries(all.filter(([name]) => of.has(name)))
  checkAvailability(`${where}: constants`, named(promises))
  return named(laws)
}
