import { append } from '../../append.ts'
import { MeshError } from '../../faults.ts'
import { entriesOf, type Json, order } from '../json.ts'
import type { Assembly, Stack } from '../read/template.ts'
import { holds, resolve, textFrom } from './intrinsics.ts'
import { keyOf, type Resource, scopeOf, type World } from './scope.ts'

export function worldOf(assemblies: readonly Assembly[]): World {
  const stacks = named(assemblies.flatMap((assembly) => assembly.stacks))
  const world: World = {
    stacks,
    resources: new Map(),
    exports: new Map(),
    parameters: new Map(),
    remote: new Map(),
  }
  for (const stack of stacks) {
    for (const [logicalId, { Type, Condition, Properties, Metadata }] of Object.entries(
      stack.template.Resources,
    )) {
      const scope = scopeOf(world, stack, `Resources.${logicalId}.Condition`)
      if (Condition !== undefined && holds(Condition, scope) === false) continue
      const key = keyOf(stack, logicalId)
      const place = stack.places.get(logicalId) ?? { path: key }
      const [properties, metadata] = [Properties ?? {}, Metadata ?? {}]
      world.resources.set(key, { key, stack, logicalId, type: Type, place, properties, metadata })
    }
  }
  for (const stack of stacks) publish(world, stack)
  return world
}

/** Names must be unique in the mesh: of two stacks of one name in two regions, the region comes with it. The stacks are copies. */
function named(stacks: readonly Stack[]): Stack[] {
  const roots = stacks.filter(({ parent }) => parent === undefined)
  for (const [name, same] of Map.groupBy(roots, (stack) => stack.deployed)) {
    if (same.length === 1) continue
    for (const stack of same)
      stack.name = [name, stack.region, stack.account].filter((part) => part !== null).join('.')
    if (new Set(same.map((stack) => stack.name)).size < same.length)
      throw new MeshError(
        `${same[1]?.file}: there is another stack ${name} in ${same[0]?.file}: give the two apart`,
      )
  }
  for (const stack of stacks)
    if (stack.parent) stack.name = `${stack.parent.stack.name}/${stack.parent.resource}`
  return stacks.toSorted((a, b) => order(a.name, b.name))
}

function publish(world: World, stack: Stack) {
  for (const [id, { Value, Export }] of Object.entries(stack.template.Outputs)) {
    const at = `Outputs.${id}`
    if (Export === undefined || Value === undefined) continue
    append(world.exports, textFrom(Export.Name, scopeOf(world, stack, `${at}.Export.Name`)), {
      stack,
      value: Value,
      at: `${at}.Value`,
    })
  }
  for (const [logicalId, { Type, Properties }] of Object.entries(stack.template.Resources)) {
    const at = `Resources.${logicalId}.Properties`
    const properties = Object.fromEntries(entriesOf(Properties))
    if (Type === 'AWS::SSM::Parameter' && properties.Name !== undefined && properties.Value !== undefined) {
      const name = textFrom(properties.Name, scopeOf(world, stack, `${at}.Name`))
      append(world.parameters, name, { stack, value: properties.Value, at: `${at}.Value` })
    }
    if (Type === 'Custom::CrossRegionExportWriter')
      for (const [name, value] of entriesOf(Object.fromEntries(entriesOf(properties.WriterProps)).exports))
        append(world.remote, name, { stack, value, at: `${at}.WriterProps.exports.${name}` })
  }
}

/** So many undecided conditions of a resource are tried both ways. */
export const varied = 3

/**
 * The properties of a resource with all references followed, once for each way in which undecided conditions may fall:
 * the first is the one in which all hold. At most eight; `undecided` names what they depend on.
 */
export function variantsOf(world: World, resource: Resource): { variants: Json[]; undecided: string[] } {
  const undecided: string[] = []
  const variants: Json[] = []
  const resolved = (decided: Map<string, boolean>): Json => {
    const scope = scopeOf(world, resource.stack, `Resources.${resource.logicalId}.Properties`, decided)
    const value = resolve(resource.properties, scope) ?? {}
    for (const name of scope.asked) if (!undecided.includes(name)) undecided.push(name)
    return value
  }
  variants.push(resolved(new Map()))
  const names = undecided.slice(0, varied)
  for (let choice = 1; choice < 2 ** names.length; choice++)
    variants.push(resolved(new Map(names.map((name, index) => [name, (choice & (2 ** index)) === 0]))))
  const seen = new Map(variants.map((variant) => [JSON.stringify(variant), variant]))
  return { variants: [...seen.values()], undecided }
}
