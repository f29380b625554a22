import * as z from 'zod'
import { faultsOf, MeshError } from '../../faults.ts'
import { json } from '../json.ts'

/** The newest revision of the cloud assembly's schema that is known: that of aws-cdk-lib 2.276. */
const newest = 55

const entries = z.record(
  z.string(),
  z.array(z.looseObject({ type: z.string(), data: json.optional(), trace: z.array(z.string()).optional() })),
)
/** By construct path. */
export type Metadata = z.output<typeof entries>

const artifact = z.looseObject({
  type: z.string(),
  environment: z.string().optional(),
  /** of a stack its construct path */
  displayName: z.string().optional(),
  metadata: entries.optional(),
  /** since 2.2: the same as `metadata`, in a file of its own */
  additionalMetadataFile: z.string().optional(),
  properties: z
    .looseObject({
      templateFile: z.string().optional(),
      stackName: z.string().optional(),
      parameters: z.record(z.string(), json).optional(),
      directoryName: z.string().optional(),
      file: z.string().optional(),
    })
    .optional(),
})
export type Artifact = z.output<typeof artifact>

const manifest = z.looseObject({
  version: z.string({ error: 'expected the version of the cloud assembly, such as "55.0.0"' }),
  artifacts: z.record(z.string(), artifact).default({}),
})

/**
 * The artifacts of a manifest.json by id. Nearly each release of the CDK has a revision of its own, which hardly ever changes
 * what is read here: one that is `newer` is read all the same.
 */
export function parseManifest(
  file: string,
  value: unknown,
): { artifacts: [string, Artifact][]; newer?: string } {
  const parsed = manifest.safeParse(value)
  if (!parsed.success) throw faultsOf(file, parsed.error)
  const { version, artifacts } = parsed.data
  const revision = Number(/^(\d+)\.\d+\.\d+$/.exec(version)?.[1])
  if (!(revision >= 1))
    throw new MeshError(`${file}: version: expected one such as "${newest}.0.0", not ${version}`)
  return { artifacts: Object.entries(artifacts), ...(revision > newest && { newer: version }) }
}

export function parseMetadata(file: string, value: unknown): Metadata {
  const parsed = entries.safeParse(value)
  if (!parsed.success) throw faultsOf(file, parsed.error)
  return parsed.data
}

const assets = z.looseObject({
  files: z
    .record(z.string(), z.looseObject({ source: z.looseObject({ path: z.string().optional() }).optional() }))
    .default({}),
})

/** The files of an asset manifest by their hash. */
export function parseAssets(file: string, value: unknown): Map<string, string> {
  const parsed = assets.safeParse(value)
  if (!parsed.success) throw faultsOf(file, parsed.error)
  const files = Object.entries(parsed.data.files)
  return new Map(
    files.flatMap(([hash, { source }]) => (source?.path === undefined ? [] : [[hash, source.path]])),
  )
}
