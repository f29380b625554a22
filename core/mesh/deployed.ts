import { meshOf } from '../../mesh/assembly/mesh-of.ts'
import { assemblyOf } from '../../mesh/assembly/read/read.ts'
import type { Mesh } from '../../mesh/model.ts'
import { Failure } from '../errors.ts'
import type { Stacks } from '../ports.ts'

/**
 * The mesh of stacks as they are deployed.
 * @throws Failure NotFound for a stack that is not deployed
 * @throws MeshError for a template that cannot be modelled
 */
export async function deployedMesh(names: readonly string[], region: string, stacks: Stacks): Promise<Mesh> {
  const assemblies = await Promise.all(
    names.map(async (name) => {
      const template = await stacks.template(name)
      if (template === undefined) throw new Failure('NotFound', `there is no stack ${name}`)
      return assemblyOf(name, template, name, { region, account: null })
    }),
  )
  return meshOf(assemblies)
}
