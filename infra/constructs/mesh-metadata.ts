import { CfnResource } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/** What a resource says of itself to the mesh, in the notation of `Metadata.mesh` (docs/mesh.md). */
type Said = { sends?: readonly object[]; takes?: readonly string[]; accepted?: readonly Accepted[] }
type Accepted = { rule: string; because: string; at?: string }

const key = 'mesh'

/** Writes it into the template, beside what the resource says already. */
export function say(construct: IConstruct, said: Said): void {
  const resource = resourceOf(construct)
  resource.addMetadata(key, { ...resource.getMetadata(key), ...said })
}

/** Accepts one finding of the mesh at this construct, or at what it names of it, and says why. */
export function accept(construct: IConstruct, rule: string, because: string, at?: string): void {
  const { accepted = [] }: Said = resourceOf(construct).getMetadata(key) ?? {}
  say(construct, { accepted: [...accepted, { rule, ...(at !== undefined && { at }), because }] })
}

export function resourceOf(construct: IConstruct): CfnResource {
  const resource = construct instanceof CfnResource ? construct : construct.node.defaultChild
  if (resource instanceof CfnResource) return resource
  throw new Error(`${construct.node.path} is no resource`)
}
