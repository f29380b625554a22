import { existsSync } from 'node:fs'
import { parse, YAMLParseError } from 'yaml'
import { meshOf } from '../../mesh/assembly/mesh-of.ts'
import { readAssembly } from '../../mesh/assembly/read/read.ts'
import { MeshError } from '../../mesh/faults.ts'
import type { Loaded } from '../../mesh/load.ts'
import type { Mesh } from '../../mesh/model.ts'
import { underLoad } from '../../mesh/under-load.ts'
import { readText } from './files.ts'

/** What every analysis of an app is given. */
export type AppOptions = { app?: string[]; rates?: string; region?: string }

/** What is read beside an assembly when nothing else is named: what somebody says of an app that cannot say it itself. */
const declarations = 'mesh.yaml'

/** Synthesized apps under what is known of their load. */
export function loadedApp({ app = ['cdk.out'], rates, region }: AppOptions): Loaded {
  const file = rates ?? (existsSync(declarations) ? declarations : undefined)
  return underLoad(
    app.map((folder) => readAssembly(folder)),
    { region, ...(file !== undefined && { rates: { where: file, value: readYaml(file) } }) },
  )
}

export const meshOfApp = ({ app = ['cdk.out'], ...options }: AppOptions): Mesh =>
  meshOf(
    app.map((folder) => readAssembly(folder)),
    placed(options),
  )

const placed = ({ region }: AppOptions) => (region === undefined ? {} : { region })

function readYaml(file: string): unknown {
  try {
    return parse(readText(file))
  } catch (error) {
    if (error instanceof YAMLParseError) throw new MeshError(`${file}: no YAML: ${error.message}`)
    throw error
  }
}
