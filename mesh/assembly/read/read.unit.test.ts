// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes references so
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { MeshError } from '../../faults.ts'
import { meshOf } from '../mesh-of.ts'
import { refuseCycles } from './cycles.ts'
import { assemblyOf, readAssembly } from './read.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A folder with files: text as it is, all else as JSON. */
function folderOf(files: Record<string, unknown>): string {
  const folder = mkdtempSync(join(tmpdir(), 'mesh-assembly-'))
  folders.push(folder)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return folder
}

const queue = { Resources: { Q: { Type: 'AWS::SQS::Queue' } } }
const stack = (properties: object, more: object = {}) => ({
  type: 'aws:cloudformation:stack',
  environment: 'aws://111111111111/eu-west-1',
  properties: { templateFile: 's.template.json', ...properties },
  ...more,
})
const yaml = "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n  Q: { Type: AWS::SQS::Queue }\n"
const manifest = (artifacts: object, version = '55.0.0') => ({ version, artifacts })

describe('what cannot be read is an error that names the file, the place and what to do', () => {
  const refused = (files: Record<string, unknown>, path = '.') => {
    const folder = folderOf(files)
    try {
      readAssembly(join(folder, path))
    } catch (error) {
      expect(error).toBeInstanceOf(MeshError)
      return String(error).replaceAll(folder, '<folder>')
    }
    return 'was read'
  }

  it.each([
    ['nothing', {}, 'no-such', /<folder>\/no-such: is not there: give a cdk\.out/],
    [
      'a folder without an assembly',
      { 'a.txt': '' },
      '.',
      /<folder>: has no manifest\.json: give the cdk\.out/,
    ],
    ['broken JSON', { 'manifest.json': '{"version"' }, '.', /<folder>\/manifest\.json: no JSON: /],
    ['no version', { 'manifest.json': {} }, '.', /manifest\.json: version: expected the version/],
    [
      'a version that is none',
      { 'manifest.json': manifest({}, 'new') },
      '.',
      /manifest\.json: version: expected one such as "55\.0\.0", not new/,
    ],
    ['no stack', { 'manifest.json': manifest({}) }, '.', /artifacts: there is no stack/],
    [
      'a missing template',
      { 'manifest.json': manifest({ S: stack({}) }) },
      '.',
      /manifest\.json: artifacts\.S\.properties\.templateFile names s\.template\.json, and <folder>\/s\.template\.json is not there: synthesize again/,
    ],
    [
      'a stack without template',
      { 'manifest.json': manifest({ S: { type: 'aws:cloudformation:stack' } }) },
      '.',
      /artifacts\.S\.properties\.templateFile: expected/,
    ],
    [
      'missing metadata',
      {
        'manifest.json': manifest({ S: stack({}, { additionalMetadataFile: 'm.json' }) }),
        's.template.json': queue,
      },
      '.',
      /artifacts\.S\.additionalMetadataFile names m\.json/,
    ],
    [
      'broken template',
      { 'manifest.json': manifest({ S: stack({}) }), 's.template.json': '{' },
      '.',
      /<folder>\/s\.template\.json: no JSON/,
    ],
    [
      'a template without Resources',
      { 'manifest.json': manifest({ S: stack({}) }), 's.template.json': {} },
      '.',
      /s\.template\.json: Resources: expected Resources: this is no CloudFormation template/,
    ],
    [
      'a resource without Type',
      { 't.json': { Resources: { Q: {} } } },
      't.json',
      /<folder>\/t\.json: Resources\.Q\.Type: expected the type/,
    ],
    ['a list', { 't.json': [] }, 't.json', /<folder>\/t\.json: the document: /],
    ['YAML', { 't.yaml': 'Resources: {}' }, 't.yaml', /t\.yaml: is YAML: give the template as JSON/],
    ['YAML that is called template', { 't.template': yaml }, 't.template', /t\.template: is YAML: give/],
    [
      'YAML that an assembly calls JSON',
      { 'manifest.json': manifest({ S: stack({}) }), 's.template.json': yaml },
      '.',
      /s\.template\.json: is YAML, whatever its name says: give the template as JSON/,
    ],
  ])('%s', (_, files: Record<string, unknown>, path, says) => {
    expect(refused(files, path)).toMatch(says)
  })
})

describe('a folder that cdk synth wrote', () => {
  const nested = {
    Resources: {
      Inner: { Type: 'AWS::SQS::Queue', Metadata: { 'aws:cdk:path': 'app/one/kid/inner/Resource' } },
    },
  }
  const hash = 'ab'.repeat(32)
  const parent = {
    Resources: {
      Q: { Type: 'AWS::SQS::Queue' },
      Kid: {
        Type: 'AWS::CloudFormation::Stack',
        Properties: {
          TemplateURL: { 'Fn::Join': ['', ['https://s3/', { Ref: 'AWS::Region' }, `/${hash}.json`]] },
        },
      },
      Gone: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'https://elsewhere/x.json' } },
    },
  }

  it('is read with stages, nested stacks, construct paths and where they were made', () => {
    const folder = folderOf({
      'cdk.out/manifest.json': manifest({
        inner: { type: 'cdk:cloud-assembly', properties: { directoryName: 'inner' } },
      }),
      'cdk.out/inner/manifest.json': manifest({
        'one.assets': { type: 'cdk:asset-manifest', properties: { file: 'one.assets.json' } },
        one: stack(
          { stackName: 'deployed-one' },
          { additionalMetadataFile: 'm.json', displayName: 'app/one' },
        ),
      }),
      'cdk.out/inner/one.assets.json': {
        files: { [hash]: { source: { path: 'kid.nested.template.json' } } },
      },
      'cdk.out/inner/s.template.json': parent,
      'cdk.out/inner/kid.nested.template.json': nested,
      'cdk.out/inner/m.json': {
        '/app/one/kid': [{ type: 'aws:cdk:templateFile', data: 'kid.nested.template.json' }],
        '/app/one/work-queue/Resource': [
          { type: 'aws:cdk:logicalId', data: 'Q' },
          {
            type: 'aws:cdk:creationStack',
            data: ['...new Queue2 in aws-cdk-lib...', 'new Made (file:///elsewhere/infra/made.ts:12:5)'],
          },
        ],
        '/app/one/kid/inner/Resource': [
          {
            type: 'aws:cdk:logicalId',
            data: 'Inner',
            trace: ['at node_modules/x.js:1:1', 'new Kid (/elsewhere/kid.ts:7:9)'],
          },
        ],
      },
    })
    const mesh = meshOf(readAssembly(join(folder, 'cdk.out')))
    expect(mesh.stacks).toEqual([
      { name: 'deployed-one', region: 'eu-west-1' },
      { name: 'deployed-one/Kid', region: 'eu-west-1' },
    ])
    expect(mesh.nodes.map(({ id, name, path, source }) => ({ id, name, path, source }))).toEqual([
      {
        id: 'deployed-one/Kid/Inner',
        name: 'inner',
        path: 'app/one/kid/inner/Resource',
        source: { file: '/elsewhere/kid.ts', line: 7 },
      },
      {
        id: 'deployed-one/Q',
        name: 'work-queue',
        path: 'app/one/work-queue/Resource',
        source: { file: '/elsewhere/infra/made.ts', line: 12 },
      },
    ])
    expect(mesh.unresolved).toEqual([
      { at: 'deployed-one/Gone', reference: 'a nested stack whose template is not in the assembly' },
    ])
  })

  it('has older metadata in the manifest, and traces below the folder of the assembly are relative to it', () => {
    const folder = folderOf({ 'cdk.out/s.template.json': queue })
    const trace = [`new A (${folder}/infra/a.ts:3:1)`]
    const metadata = { '/S/work/Resource': [{ type: 'aws:cdk:logicalId', data: 'Q', trace }] }
    writeFileSync(
      join(folder, 'cdk.out', 'manifest.json'),
      JSON.stringify(manifest({ S: stack({}, { metadata }) }, '36.0.0')),
    )
    const [node] = meshOf(readAssembly(join(folder, 'cdk.out'))).nodes
    expect(node).toMatchObject({
      name: 'work',
      path: 'S/work/Resource',
      source: { file: 'infra/a.ts', line: 3 },
    })
  })

  it('may keep a definition of a state machine in a file', () => {
    const definition = { StartAt: 'A', States: { A: { Type: 'Task', Resource: '${Fn}', End: true } } }
    const template = {
      Resources: {
        F: { Type: 'AWS::Lambda::Function' },
        M: {
          Type: 'AWS::StepFunctions::StateMachine',
          Properties: {
            DefinitionS3Location: { Bucket: 'b', Key: `${hash}.json` },
            DefinitionSubstitutions: { Fn: { 'Fn::GetAtt': ['F', 'Arn'] } },
          },
        },
      },
    }
    const folder = folderOf({
      'manifest.json': manifest({
        a: { type: 'cdk:asset-manifest', properties: { file: 'a.json' } },
        S: stack({}),
      }),
      'a.json': { files: { [hash]: { source: { path: 'asset.json' } } } },
      'asset.json': definition,
      's.template.json': template,
    })
    expect(meshOf(readAssembly(folder)).elements.map(({ id }) => id)).toEqual([
      'invoke:S/M#A>S/F',
      'invoke:S/M>S/M#A',
    ])
  })

  it('of a later version is read, and that is listed', () => {
    const of = (version: string) =>
      meshOf(
        readAssembly(
          folderOf({ 'manifest.json': manifest({ S: stack({}) }, version), 's.template.json': queue }),
        ),
      )
    expect(of('56.0.0').nodes.map(({ id }) => id)).toEqual(['S/Q'])
    expect(of('56.0.0').unresolved).toMatchObject([{ at: 'manifest.json' }])
    expect(of('55.0.0').unresolved).toEqual([])
  })

  it('may be given with others; two stacks of a name have their region with it', () => {
    const of = (region: string) =>
      readAssembly(
        folderOf({
          'manifest.json': manifest({ S: { ...stack({}), environment: `aws://111111111111/${region}` } }),
          's.template.json': queue,
        }),
      )
    const [one, other] = [of('eu-west-1'), of('us-east-1')]
    expect(meshOf([one, other]).nodes.map(({ id }) => id)).toEqual([
      'S.eu-west-1.111111111111/Q',
      'S.us-east-1.111111111111/Q',
    ])
    // what was read stays as it was
    expect(one.stacks.map(({ name }) => name)).toEqual(['S'])
    expect(() => meshOf([of('eu-west-1'), of('eu-west-1')])).toThrow(/there is another stack S in/)
  })
})

it('what is nested too deep is refused, and a long chain of references is none', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
  const template = (levels: number) => ({
    Resources: { Q: { Type: 'AWS::SQS::Queue', Properties: { Tags: JSON.parse(deep(levels)) } } },
  })
  expect(() => assemblyOf('t.json', template(5000))).toThrow(/t\.json: is nested more than 400 levels deep/)
  expect(assemblyOf('t.json', template(300)).stacks).toHaveLength(1)
  const chain = Array.from({ length: 20_000 }, (_, place) => [
    `Q${place}`,
    { Type: 'AWS::CDK::Metadata', DependsOn: place === 0 ? [] : `Q${place - 1}` },
  ])
  const [stack] = assemblyOf('t.json', { Resources: Object.fromEntries(chain.toReversed()) }).stacks
  expect(() => stack && refuseCycles(stack)).not.toThrow()
})
