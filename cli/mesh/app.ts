import { existsSync } from 'node:fs'
import { parse, YAMLParseError } from 'yaml'
import * as z from 'zod'
import { meshOf } from '../../mesh/assembly/mesh-of.ts'
import { readAssembly } from '../../mesh/assembly/read/read.ts'
import { type Overrides, overridesOf } from '../../mesh/comprehensive/overrides.ts'
import { MeshError } from '../../mesh/faults.ts'
import { type Loaded, load } from '../../mesh/load.ts'
import { noLoads, parseLoads } from '../../mesh/loads.ts'
import type { Mesh } from '../../mesh/model.ts'
import { readText } from './files.ts'

/** What every analysis of an app is given. */
export type AppOptions = { app?: string[]; rates?: string; region?: string }

/** What is read beside an assembly when nothing else is named: what somebody says of an app that cannot say it itself. */
const declarations = 'mesh.yaml'

/** The mesh of synthesized apps under what is known of its loads, and numbers in the place of AWS's. */
export function loadedApp({ app = ['cdk.out'], rates, ...options }: AppOptions): {
  loaded: Loaded
  overrides: Overrides
} {
  const file = rates ?? (existsSync(declarations) ? declarations : undefined)
  const given = file === undefined ? {} : readYaml(file)
  const overrides = overridesOf(file ?? declarations, numbersIn(given))
  const mesh = meshOf(
    app.map((folder) => readAssembly(folder)),
    { constants: overrides.laws, ...placed(options) },
  )
  const loads = file === undefined ? noLoads : parseLoads(file, given, mesh)
  return { loaded: load(mesh, loads), overrides }
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

/** What is wrong with them is said by whoever reads the whole. */
const numbersIn = (given: unknown): Record<string, number> =>
  z.object({ constants: z.record(z.string(), z.number()) }).safeParse(given).data?.constants ?? {}
