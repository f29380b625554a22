import type { MeshNode } from '../../model.ts'
import { order } from '../json.ts'
import type { Draft } from './draft.ts'

/** What says no more than the kind of the thing, or that it is one. */
const generic =
  /^(resource|default|queue|fn|function|lambda|handler|topic|table|bucket|bus|eventbus|rule|schedule|machine|statemachine|workflow|stream|api|httpapi|restapi|pipe|service|taskdef|taskdefinition|lb|loadbalancer)$/i

/**
 * Gives each node the name that people know: the last part of its construct path that says something, with as much of
 * what is before it as it takes to be the only one.
 */
export function nameAll(draft: Draft) {
  const nodes = [...draft.nodes.values()].toSorted((a, b) => order(a.id, b.id))
  const candidates = new Map(nodes.map((node) => [node, candidatesOf(draft, node)]))
  const level = new Map(nodes.map((node) => [node, 0]))
  const nameOf = (node: MeshNode): string => candidates.get(node)?.[level.get(node) ?? 0] ?? node.id
  for (let changed = true; changed; ) {
    changed = false
    for (const [, same] of Map.groupBy(nodes, nameOf)) {
      if (same.length === 1) continue
      for (const node of same) {
        const next = (level.get(node) ?? 0) + 1
        if (next >= (candidates.get(node)?.length ?? 0)) continue
        level.set(node, next)
        changed = true
      }
    }
  }
  for (const node of nodes) node.name = nameOf(node)
}

/** From the shortest to the longest; the id at last, which no other has. */
function candidatesOf(draft: Draft, { id, path, kind, stack, type }: MeshNode): string[] {
  if (kind === 'task') {
    const [machine = '', states = ''] = split(path, '#')
    const state = states.split('/').at(-1) ?? states
    const owner =
      machine
        .split('/')
        .filter((part, index) => index > 0 && !generic.test(part))
        .at(-1) ?? machine
    return [state, `${owner}/${state}`, `${owner}/${states}`, path, id]
  }
  if (type === '') {
    const own = id.replace(/^external\//, '')
    return [kind === 'bus' ? 'default-bus' : own, own, id]
  }
  const depth = depthOf(draft, stack, path)
  const parts = path
    .split('/')
    .filter(
      (part, index, all) => index < depth || index < all.length - 1 || !/^(Resource|Default)$/.test(part),
    )
  let last = parts.length
  while (last > depth + 1 && generic.test(parts[last - 1] ?? '')) last -= 1
  // from each beginning, the nearest first, to each end from the part that says something
  const suffixes = Array.from({ length: last - depth }, (_, before) =>
    Array.from({ length: parts.length - last + 1 }, (_, behind) =>
      parts.slice(last - 1 - before, last + behind).join('/'),
    ),
  ).flat()
  return [...new Set(suffixes), parts.join('/'), path, id]
}

const split = (text: string, by: string): [string, string] => {
  const index = text.indexOf(by)
  return [text.slice(0, index), text.slice(index + by.length)]
}

/** How many parts of a path are the stack's own. */
function depthOf({ world }: Draft, name: string, path: string): number {
  let stack = world.stacks.find((other) => other.name === name)
  while (stack?.parent !== undefined) stack = stack.parent.stack
  const own = stack?.path ?? ''
  if (own !== '' && path.startsWith(`${own}/`)) return own.split('/').length
  return path.startsWith(`${name}/`) ? name.split('/').length : 1
}
