import type { Law, MeshElement, Retry } from '../../model.ts'
import { at, type Json, textOf } from '../json.ts'
import type { Resource } from '../resolve/scope.ts'
import { hasToken } from '../resolve/tokens.ts'
import { type Draft, join } from './draft.ts'
import { find } from './find.ts'
import { asyncOf } from './retries.ts'

/** The nodes that a property means; none where it is not there. */
export function nodesAt(
  draft: Draft,
  resource: Resource,
  properties: Json,
  path: string[],
  service?: string,
): string[] {
  const text = textOf(at(properties, ...path))
  const where = `${resource.place.path}.${path.join('.')}`
  const context = { at: where, stack: resource.stack, ...(service !== undefined && { service }) }
  return text === undefined ? [] : find(draft, text, context)
}

/** The type of what is put on a bus, where the template says it; undefined: a run or a deployment does. */
export function typeAt(properties: Json, ...path: string[]): string | undefined {
  const text = textOf(at(properties, ...path)) ?? ''
  return text === '' || text.includes('$') || hasToken(text) ? undefined : text
}

type Delivery = {
  from: string
  to: string
  types?: string[] | null
  retry: Retry
  maxAge: number
  kept: boolean
  filtered?: boolean
  puts?: string | undefined
  laws?: Law[]
  provenance?: MeshElement['provenance']
}

/**
 * A service pushes. Into a function it does so asynchronously: then what the function says of retries and of what it
 * gives up holds, not what the pusher says.
 */
export function deliver(draft: Draft, { from, to, types = null, laws = [], ...given }: Delivery) {
  const toFunction = draft.nodes.get(to)?.kind === 'function'
  const { retry, maxAge, kept } = toFunction ? asyncOf(draft, to) : given
  const { provenance = 'template', filtered, puts } = given
  const more = { ...(filtered !== undefined && { filtered }), ...(puts !== undefined && { puts }) }
  join(draft, { kind: 'delivery', from, to, types, provenance, laws, retry, maxAge, kept, ...more })
}

/** What failed for good goes to the nodes that a property means; answers whether there are any. */
export function keepLetters(draft: Draft, { from, of, resource, properties, path }: Letters): boolean {
  const to = nodesAt(draft, resource, properties, path)
  for (const id of to) {
    join(draft, { kind: 'dead-letter', from, to: id, types: null, provenance: 'template', laws: [], of })
    const node = draft.nodes.get(id)
    if (node?.kind === 'queue') node.settings.deadLetters = true
  }
  return to.length > 0
}

type Letters = {
  from: string
  /** `poll`, `delivery`, or `async` of a function that was invoked asynchronously */
  of: 'poll' | 'delivery' | 'async'
  resource: Resource
  properties: Json
  path: string[]
}
