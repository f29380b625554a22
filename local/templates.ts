import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const template = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
})
export type Template = z.infer<typeof template>

/** A resource as it should be. */
export type Resource = { template: Template; type: string; properties: Readonly<Record<string, unknown>> }

/** Every resource of an assembly that the CDK synthesized into this folder. */
export const resourcesOf = (assembly: string): Resource[] =>
  readdirSync(assembly)
    .filter((name) => name.endsWith('.template.json'))
    .sort()
    .flatMap((name) => resourcesIn(template.parse(JSON.parse(readFileSync(join(assembly, name), 'utf8')))))

export const resourcesIn = (parsed: Template): Resource[] =>
  Object.values(parsed.Resources).map(({ Type, Properties }) => ({
    template: parsed,
    type: Type,
    properties: Properties,
  }))

const reference = z.object({ Ref: z.string() })

/**
 * The name of the function that `value` means: its name, or a reference to it, its alias or its version.
 * @throws Error when it cannot be told from the template alone
 */
export function functionNameOf(value: unknown, { Resources }: Template): string {
  if (typeof value === 'string') return value
  const target = Resources[reference.parse(value).Ref]
  const name = target?.Properties.FunctionName
  if (name === undefined) throw new Error(`a function without a name: ${JSON.stringify(value)}`)
  return functionNameOf(name, { Resources })
}
