import { MeshError } from '../../faults.ts'
import type { Json } from '../json.ts'
import { faultAt, type Place, type Stack } from '../read/template.ts'

export type Resource = {
  /** `<stack>/<logical id>`: the id of its node, if it is one */
  key: string
  stack: Stack
  logicalId: string
  type: string
  place: Place
  properties: Json
  metadata: Json
}

export type Published = { stack: Stack; value: Json; at: string }

/** Everything that references may lead to, of all stacks. */
export type World = {
  stacks: Stack[]
  resources: Map<string, Resource>
  exports: Map<string, Published[]>
  /** of SSM parameters, by name */
  parameters: Map<string, Published[]>
  /** what the CDK writes for a stack in another region, by name */
  remote: Map<string, Published[]>
}

export const keyOf = (stack: Stack, logicalId: string): string => `${stack.name}/${logicalId}`

/** Where a value stands, and by which names it was reached. */
export type Scope = {
  world: World
  stack: Stack
  /** in the template, for errors */
  at: string
  trail: string[]
  /** how the conditions fall that nothing decides */
  decided: Map<string, boolean>
  /** filled with those that were met; what is not decided holds */
  asked: Set<string>
}

/** The scope of what a name leads to; a name that leads to itself is an error. */
export function enter(scope: Scope, name: string, stack: Stack, path: string): Scope {
  if (scope.trail.includes(name)) {
    const cycle = [...scope.trail.slice(scope.trail.indexOf(name)), name].join(' -> ')
    throw new MeshError(
      `${stack.file}: ${path}: refers to itself: ${cycle}: take one of these references away`,
    )
  }
  return { ...scope, stack, at: path, trail: [...scope.trail, name] }
}

/** A scope in which undecided conditions hold. */
export const scopeOf = (world: World, stack: Stack, at: string, decided?: Scope['decided']): Scope => ({
  world,
  stack,
  at,
  trail: [],
  decided: decided ?? new Map(),
  asked: new Set(),
})

export const faultOf = ({ stack, logicalId }: Resource, path: string, says: string) =>
  faultAt(stack, `Resources.${logicalId}.${path}`, says)

/** The text of an SSM parameter, export or output that was published under a name; undefined: nobody does. */
export function published(all: readonly Published[] | undefined, near: Stack): Published | undefined {
  if (all === undefined) return undefined
  return (
    all.find(({ stack }) => stack.region === near.region && stack.account === near.account) ??
    all.find(({ stack }) => stack.region === near.region) ??
    all[0]
  )
}
