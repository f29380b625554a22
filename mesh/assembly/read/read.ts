import { basename, join } from 'node:path'
import { MeshError, parseJson } from '../../faults.ts'
import { at, type Json, textOf } from '../json.ts'
import { statOf, textIn } from './disk.ts'
import { type Artifact, type Metadata, parseAssets, parseManifest, parseMetadata } from './manifest.ts'
import { placesOf } from './places.ts'
import { type Assembly, parseTemplate, type Stack, type Template } from './template.ts'

/**
 * What `cdk synth` writes into a directory: all stacks, those of stages (assemblies in the assembly) and nested ones too.
 * Instead of a directory it may be the file of one CloudFormation template as JSON.
 * A manifest newer than those known is read all the same, as `newer`. What cannot be read is a MeshError that names the file,
 * the place in it and what to do.
 */
export function readAssembly(directory: string): Assembly {
  const given = statOf(directory)
  if (given === undefined)
    throw new MeshError(
      `${directory}: is not there: give a cdk.out (cdk synth makes one), or a template as JSON`,
    )
  if (!given.isDirectory()) return { stacks: single(directory) }
  const file = join(directory, 'manifest.json')
  if (statOf(file) === undefined)
    throw new MeshError(
      `${directory}: has no manifest.json: give the cdk.out that \`cdk synth\` writes, or a template as JSON`,
    )
  const { artifacts, newer } = parseManifest(file, read(file, directory))
  const stages = artifacts.flatMap(([, { type, properties }]) =>
    type === 'cdk:cloud-assembly' ? (properties?.directoryName ?? []) : [],
  )
  const stacks = [...stacksIn(directory, directory)]
  if (stacks.length === 0) throw new MeshError(`${file}: artifacts: there is no stack among them`)
  return { stacks, stages, ...(newer !== undefined && { newer }) }
}

function read(file: string, namedBy: string): unknown {
  if (!statOf(file)?.isFile())
    throw new MeshError(`${namedBy} names ${basename(file)}, and ${file} is not there: synthesize again`)
  const text = textIn(file)
  if (/\.ya?ml$/.test(file) || isYamlTemplate.test(text))
    throw new MeshError(
      `${file}: is YAML${/\.json$/.test(file) ? ', whatever its name says' : ''}: give the template as JSON, as \`cfn-flip\` or \`aws cloudformation get-template\` make it`,
    )
  return parseJson(file, text)
}

/** The members that a template has, as they stand at the beginning of a line in YAML alone. */
const isYamlTemplate = /^(AWSTemplateFormatVersion|Resources)\s*:/m

function single(file: string): Stack[] {
  const name = basename(file).replace(/(\.template)?(\.json)?$/, '')
  return assemblyOf(name, read(file, file), file).stacks
}

/** One CloudFormation template by itself as a stack of a name. `file`: what errors call it; `home`: where it is deployed. */
export function assemblyOf(
  name: string,
  value: unknown,
  file = name,
  home: Pick<Stack, 'region' | 'account'> = { region: null, account: null },
): Assembly {
  const template = parseTemplate(file, value)
  const deployed = name.replaceAll(/[^\w.-]/g, '-')
  const stack: Stack = {
    ...{ name: deployed, deployed, ...home, path: '', file, template, parameters: {} },
    ...{ parent: undefined, nested: new Map(), definitions: new Map() },
    places: placesOf(template, file, {}, '.'),
  }
  return { stacks: [stack] }
}

function* stacksIn(directory: string, root: string): Generator<Stack> {
  const file = join(directory, 'manifest.json')
  const { artifacts } = parseManifest(file, read(file, directory))
  const assets = new Map<string, string>()
  for (const [id, { type, properties }] of artifacts) {
    if (type !== 'cdk:asset-manifest' || properties?.file === undefined) continue
    const listed = join(directory, properties.file)
    for (const [hash, path] of parseAssets(listed, read(listed, `${file}: artifacts.${id}.properties.file`)))
      assets.set(hash, path)
  }
  for (const [id, artifact] of artifacts) {
    const where = `${file}: artifacts.${id}`
    if (artifact.type === 'cdk:cloud-assembly') {
      const inner = artifact.properties?.directoryName
      if (inner === undefined)
        throw new MeshError(`${where}.properties.directoryName: expected the directory of the assembly`)
      yield* stacksIn(join(directory, inner), root)
    }
    if (artifact.type === 'aws:cloudformation:stack')
      yield* stackOf({ id, artifact, where, directory, root, assets })
  }
}

type Origin = {
  id: string
  artifact: Artifact
  where: string
  directory: string
  root: string
  assets: Map<string, string>
}

function* stackOf({ id, artifact, where, directory, root, assets }: Origin): Generator<Stack> {
  const { properties, environment } = artifact
  if (properties?.templateFile === undefined)
    throw new MeshError(`${where}.properties.templateFile: expected the file of the template`)
  const [, account, region] = /^aws:\/\/([^/]+)\/([^/]+)$/.exec(environment ?? '') ?? []
  const more = artifact.additionalMetadataFile
  const metadata: Metadata = {
    ...artifact.metadata,
    ...(more === undefined
      ? {}
      : parseMetadata(join(directory, more), read(join(directory, more), `${where}.additionalMetadataFile`))),
  }
  const file = join(directory, properties.templateFile)
  const template = parseTemplate(file, read(file, `${where}.properties.templateFile`))
  const deployed = properties.stackName ?? id
  const stack: Stack = {
    name: deployed,
    deployed,
    region: known(region),
    account: known(account),
    path: artifact.displayName ?? id,
    file,
    template,
    parameters: properties.parameters ?? {},
    parent: undefined,
    nested: new Map(),
    places: placesOf(template, properties.templateFile, metadata, root),
    definitions: definitionsIn(template, directory, assets),
  }
  yield stack
  yield* nestedIn(stack, { directory, root, assets, metadata })
}

/** `unknown-account`, `unknown-region`: a stack that may go anywhere. */
const known = (part: string | undefined): string | null =>
  part === undefined || part.startsWith('unknown-') ? null : part

type Surroundings = { directory: string; root: string; assets: Map<string, string>; metadata: Metadata }

function* nestedIn(parent: Stack, surroundings: Surroundings): Generator<Stack> {
  const { directory, root, assets, metadata } = surroundings
  for (const [resource, { Type, Properties, Metadata }] of Object.entries(parent.template.Resources)) {
    if (Type !== 'AWS::CloudFormation::Stack') continue
    const path = textOf(at(Metadata, 'aws:asset:path')) ?? assetIn(at(Properties, 'TemplateURL'), assets)
    // one that lies elsewhere is listed as not known by who follows it
    if (path === undefined || !path.endsWith('.json')) continue
    const file = join(directory, path)
    const template = parseTemplate(
      file,
      read(file, `${parent.file}: Resources.${resource}.Properties.TemplateURL`),
    )
    const { region, account } = parent
    const name = `${parent.name}/${resource}`
    const stack: Stack = {
      ...{ name, deployed: name, region, account, path: '', file, template, parameters: {} },
      parent: { stack: parent, resource },
      nested: new Map(),
      places: placesOf(template, path, metadata, root),
      definitions: definitionsIn(template, directory, assets),
    }
    parent.nested.set(resource, stack)
    yield stack
    yield* nestedIn(stack, surroundings)
  }
}

function definitionsIn(
  { Resources }: Template,
  directory: string,
  assets: Map<string, string>,
): Map<string, string> {
  const definitions = new Map<string, string>()
  for (const [id, { Type, Properties }] of Object.entries(Resources)) {
    if (Type !== 'AWS::StepFunctions::StateMachine') continue
    const path = assetIn(at(Properties, 'DefinitionS3Location', 'Key'), assets)
    const file = path === undefined ? undefined : join(directory, path)
    if (file !== undefined && statOf(file)?.isFile()) definitions.set(id, textIn(file))
  }
  return definitions
}

/** The address of a file ends with its asset's hash, whatever intrinsics put it together. */
function assetIn(address: Json | undefined, assets: Map<string, string>): string | undefined {
  const hash = /([0-9a-f]{64})\.\w+/.exec(JSON.stringify(address ?? ''))?.[1]
  return hash === undefined ? undefined : assets.get(hash)
}
