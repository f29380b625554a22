import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parse, YAMLParseError } from 'yaml'
import { meshOf } from '../../mesh/assembly/mesh-of.ts'
import { readAssembly } from '../../mesh/assembly/read/read.ts'
import type { Assembly } from '../../mesh/assembly/read/template.ts'
import { MeshError } from '../../mesh/faults.ts'
import type { Loaded } from '../../mesh/load.ts'
import type { Mesh } from '../../mesh/model.ts'
import { underLoad } from '../../mesh/under-load.ts'
import type { Cli } from '../context.ts'
import { readText } from './files.ts'

/** What every analysis of an app is given. */
export type AppOptions = { app?: string[]; rates?: string; region?: string }

/** What is read beside an assembly when nothing else is named: what somebody says of an app that cannot say it itself. */
const declarations = 'mesh.yaml'

export const ratesIn = ({ rates }: AppOptions): string | undefined =>
  rates ?? (existsSync(declarations) ? declarations : undefined)

export const appFolders = ({ app = ['cdk.out'] }: AppOptions): string[] => app

/** Synthesized apps under what is known of their load. */
export function loadedApp(cli: Pick<Cli, 'note'>, options: AppOptions): Loaded {
  const { region } = options
  const file = ratesIn(options)
  return underLoad(assembliesOf(cli, options), {
    region,
    ...(file !== undefined && { rates: { where: file, value: readYaml(file) } }),
  })
}

export const meshOfApp = (cli: Pick<Cli, 'note'>, options: AppOptions): Mesh =>
  meshOf(assembliesOf(cli, options), placed(options))

function assembliesOf(cli: Pick<Cli, 'note'>, options: AppOptions): Assembly[] {
  const folders = appFolders(options)
  const assemblies = folders.map((folder) => readAssembly(folder))
  for (const [index, { stages = [] }] of assemblies.entries())
    if (stages.length > 1)
      cli.note(
        `${folders[index]} has ${stages.length} stages, which are analysed together. For one of them: ${stages.map((stage) => `--app ${join(folders[index] ?? '', stage)}`).join(' or ')}`,
      )
  return assemblies
}

const placed = ({ region }: AppOptions) => (region === undefined ? {} : { region })

function readYaml(file: string): unknown {
  try {
    return parse(readText(file))
  } catch (error) {
    if (error instanceof YAMLParseError) throw new MeshError(`${file}: no YAML: ${error.message}`)
    throw error
  }
}
