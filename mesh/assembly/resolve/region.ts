import { MeshError } from '../../faults.ts'
import type { Assembly, Stack } from '../read/template.ts'

/**
 * The same assemblies as copies, which are named anew when two stacks have one name, with the stacks that name no region in
 * this one; `assumed`: which those are.
 */
export function placedIn(
  assemblies: readonly Assembly[],
  region?: string,
): { assemblies: Assembly[]; assumed: ReadonlySet<Stack> } {
  if (region !== undefined && !/^[a-z]{2}(-[a-z]+)+-\d$/.test(region))
    throw new MeshError(`region: ${region} is none of AWS: give one such as eu-west-1`)
  const copies = new Map<Stack, Stack>()
  const assumed = new Set<Stack>()
  for (const { stacks } of assemblies)
    for (const stack of stacks) {
      const copy = { ...stack, region: stack.region ?? region ?? null }
      copies.set(stack, copy)
      if (copy.region !== stack.region) assumed.add(copy)
    }
  const copyOf = (stack: Stack): Stack => copies.get(stack) ?? stack
  for (const copy of copies.values()) {
    if (copy.parent !== undefined) copy.parent = { ...copy.parent, stack: copyOf(copy.parent.stack) }
    copy.nested = new Map([...copy.nested].map(([id, nested]) => [id, copyOf(nested)]))
  }
  return {
    assemblies: assemblies.map((assembly) => ({ ...assembly, stacks: assembly.stacks.map(copyOf) })),
    assumed,
  }
}
