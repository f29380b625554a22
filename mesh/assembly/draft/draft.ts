import type { Lookup } from '../../laws/constant-values.ts'
import type { MeshElement, MeshNode } from '../../model.ts'
import { at, type Json, textOf } from '../json.ts'
import type { Stack } from '../read/template.ts'
import { faultOf, type Resource, type World } from '../resolve/scope.ts'
import { hasToken, readable } from '../resolve/tokens.ts'

type WithoutId<Element> = Element extends { id: string } ? Omit<Element, 'id'> : never
export type NewElement = WithoutId<MeshElement>

/** A mesh that is being put together. */
export type Draft = {
  world: World
  constant: Lookup
  nodes: Map<string, MeshNode>
  /** each once, by all that it says */
  elements: Map<string, NewElement>
  /** resources of which all variants are known, by type */
  byType: Map<string, { resource: Resource; variants: Json[] }[]>
  /** what only deployments run */
  helpers: Set<string>
  /** nodes that a resource stands for which is none itself, by its key */
  means: Map<string, string[]>
  /** nodes by `<service>:<name>` */
  byName: Map<string, string[]>
  watched: Map<string, Set<string>>
  /** what alarms tell */
  told: Set<string>
  unknown: Map<string, Set<string>>
  unresolved: Map<string, { at: string; reference: string }>
}

export type Handler = {
  /** makes the node; of the variants the first */
  node?: (draft: Draft, resource: Resource, properties: Json) => void
  /** makes the elements that the resource stands for; for each variant */
  link?: (draft: Draft, resource: Resource, properties: Json) => void
  /** mends the node by what is known when all elements are there; of the variants the first */
  settle?: (draft: Draft, resource: Resource, properties: Json) => void
}

/** What all nodes of resources have; the name is given when all are known. */
export const base = ({ key, stack, type, place }: Resource) => ({
  ...{ id: key, name: '', path: place.path, stack: stack.name, type },
  ...(place.source && { source: place.source }),
})

export function put(draft: Draft, node: MeshNode): string {
  draft.nodes.set(node.id, node)
  return node.id
}

export function join(draft: Draft, element: NewElement) {
  draft.elements.set(JSON.stringify(element), element)
}

export function unresolved(draft: Draft, where: string, text: string) {
  const entry = { at: where, reference: readable(text) }
  draft.unresolved.set(JSON.stringify(entry), entry)
}

type Bounds = { least?: number; whole?: boolean }

/**
 * A number of the template, also one that is written as text. undefined: it is not there, or only a deployment knows it,
 * which is listed as unresolved. What is no number, or none that may stand there, is a MeshError.
 */
export function numberAt(
  draft: Draft,
  resource: Resource,
  properties: Json,
  path: string[],
  { least = 0, whole = false }: Bounds = {},
): number | undefined {
  const value = at(properties, ...path)
  if (value === undefined || value === null) return undefined
  const where = ['Properties', ...path].join('.')
  const text = textOf(value)
  if (text !== undefined && hasToken(text)) {
    unresolved(draft, `${resource.place.path}.${path.join('.')}`, text)
    return undefined
  }
  const number = text === undefined || text.trim() === '' ? Number.NaN : Number(text)
  if (!(number >= least) || (whole && !Number.isInteger(number)))
    throw faultOf(
      resource,
      where,
      `expected a ${whole ? 'whole number' : 'number'} of at least ${least}, not ${JSON.stringify(value).slice(0, 60)}`,
    )
  return number
}

/** Where limits are shared that an account has in a region; accounts are told apart where it is known that there are several. */
function placeOf({ world }: Draft, { region, account }: Where): string[] {
  const accounts = new Set(world.stacks.flatMap((stack) => stack.account ?? []))
  const several = account !== null && new Set([...accounts, account]).size > 1
  return [...(several && accounts.size > 0 ? [account] : []), ...(region === null ? [] : [region])]
}

export type Where = Pick<Stack, 'region' | 'account'>

/** The name of a limit that all of one account share in one region. */
export const sharedIn = (draft: Draft, name: string, where: Where): string =>
  `${name}/${placeOf(draft, { ...where, region: where.region ?? 'region' }).join('.')}`

/** Every account has one in each region, which no template makes. */
export const defaultBusIn = (draft: Draft, where: Where): string =>
  ['external/default-bus', ...placeOf(draft, where)].join('.')

/** Of each resource of a type every variant. */
export const ofType = (draft: Draft, ...types: string[]): { resource: Resource; properties: Json }[] =>
  types.flatMap((type) =>
    (draft.byType.get(type) ?? []).flatMap(({ resource, variants }) =>
      variants.map((properties) => ({ resource, properties })),
    ),
  )
