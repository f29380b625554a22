import { existsSync } from 'node:fs'
import { parse, YAMLParseError } from 'yaml'
import { meshOf } from '../../mesh/assembly/mesh-of.ts'
import { readAssembly } from '../../mesh/assembly/read/read.ts'
import { MeshError } from '../../mesh/faults.ts'
import { constants } from '../../mesh/laws/constants.ts'
import { type Loaded, load } from '../../mesh/load.ts'
import { noLoads, parseLoads } from '../../mesh/loads.ts'
import type { Mesh } from '../../mesh/model.ts'
import { readText } from './files.ts'

/** What every analysis of an app is given. */
export type AppOptions = { app?: string[]; rates?: string }

/** What is read beside an assembly when nothing else is named: what somebody says of an app that cannot say it itself. */
const declarations = 'mesh.yaml'

/** The mesh of synthesized apps, and what is known of its loads. */
export function loadedApp({ app = ['cdk.out'], rates }: AppOptions): Loaded {
  const file = rates ?? (existsSync(declarations) ? declarations : undefined)
  const given = file === undefined ? undefined : readYaml(file)
  const mesh = meshOf(
    app.map((folder) => readAssembly(folder)),
    { constants: overridesIn(given) },
  )
  return load(mesh, file === undefined ? noLoads : parseLoads(file, given, mesh))
}

export const meshOfApp = ({ app = ['cdk.out'] }: AppOptions): Mesh =>
  meshOf(app.map((folder) => readAssembly(folder)))

function readYaml(file: string): unknown {
  try {
    return parse(readText(file))
  } catch (error) {
    if (error instanceof YAMLParseError) throw new MeshError(`${file}: no YAML: ${error.message}`)
    throw error
  }
}

/** The numbers that AWS gives may be given anew; names of others are for who reads them. */
function overridesIn(given: unknown): Record<string, number> {
  const named =
    given !== null && typeof given === 'object' && 'constants' in given ? given.constants : undefined
  if (named === null || typeof named !== 'object') return {}
  const known = new Set(constants.map(({ name }) => name))
  return Object.fromEntries(
    Object.entries(named).filter(([name, value]) => known.has(name) && typeof value === 'number'),
  )
}
