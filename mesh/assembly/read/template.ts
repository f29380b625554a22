import * as z from 'zod'
import { faultsOf, MeshError, refuseDepth } from '../../faults.ts'
import { type Json, json } from '../json.ts'

const resource = z.looseObject({
  Type: z.string({ error: 'expected the type of the resource, such as "AWS::SQS::Queue"' }),
  Condition: z.string().optional(),
  Properties: json.optional(),
  DependsOn: json.optional(),
  Metadata: json.optional(),
})

const sections = z.record(z.string(), json).default({})

const template = z.looseObject({
  Resources: z.record(z.string(), resource, {
    error: 'expected Resources: this is no CloudFormation template',
  }),
  Parameters: z
    .record(z.string(), z.looseObject({ Type: z.string().default('String'), Default: json.optional() }))
    .default({}),
  Mappings: sections,
  Conditions: sections,
  Outputs: z
    .record(
      z.string(),
      z.looseObject({ Value: json.optional(), Export: z.looseObject({ Name: json }).optional() }),
    )
    .default({}),
})
export type Template = z.output<typeof template> & { generated: string[] }

/**
 * A CloudFormation template. What a macro makes of it (`Fn::ForEach::…` among the resources) is listed in `generated`:
 * nobody but CloudFormation knows what it is.
 */
export function parseTemplate(file: string, value: unknown): Template {
  refuseDepth(file, value)
  const whole = z.looseObject({ Resources: z.record(z.string(), z.unknown()).optional() }).safeParse(value)
  if (!whole.success) throw faultsOf(file, whole.error)
  const all = Object.entries(whole.data.Resources ?? {})
  const given = {
    ...whole.data,
    ...(whole.data.Resources && {
      Resources: Object.fromEntries(all.filter(([id]) => !id.startsWith('Fn::'))),
    }),
  }
  const parsed = template.safeParse(given)
  if (!parsed.success) throw faultsOf(file, parsed.error)
  return { ...parsed.data, generated: all.flatMap(([id]) => (id.startsWith('Fn::') ? [id] : [])) }
}

/** Where the assembly says that a resource comes from. */
export type Place = { path: string; source?: { file: string; line: number } }

export type Stack = {
  /** unique in the mesh; of a nested stack its parent's with its logical id behind it */
  name: string
  /** what CloudFormation calls it */
  deployed: string
  region: string | null
  account: string | null
  /** construct path; '' where nothing says it */
  path: string
  /** of the template, for what is said about it */
  file: string
  template: Template
  /** parameters that the assembly gives */
  parameters: Record<string, Json>
  parent: { stack: Stack; resource: string } | undefined
  /** by logical id */
  nested: Map<string, Stack>
  /** by logical id */
  places: Map<string, Place>
  /** definitions of state machines that lie in files of the assembly, by logical id */
  definitions: Map<string, string>
}

export type Assembly = {
  stacks: Stack[]
  /** version of its manifest, if that is newer than those that are known */
  newer?: string
  /** folders of its stages, each an assembly of its own */
  stages?: string[]
}

export const faultAt = (stack: Stack, path: string, says: string): MeshError =>
  new MeshError(`${stack.file}: ${path}: ${says}`)
