import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleFunctions, functionNames, functionsFolder } from '../../infra/bundle.ts'
import { cdkContext, ofType, synthesized } from './synthesize.ts'

/** What the template gives a function, and Lambda all of them; each value is a word. */
const environmentOf = (name: string) => {
  const own = ofType(synthesized({ stage: 'local' }), 'AWS::Lambda::Function').find(
    ([, { Properties }]) => Properties.FunctionName === `loadpath-local-${name}`,
  )
  const names = Object.keys(own?.[1].Properties.Environment.Variables ?? {})
  return {
    ...Object.fromEntries(
      names.map((variable) => [variable, variable === 'ACCOUNT_PROJECTS' ? '{}' : 'word']),
    ),
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  }
}

let folder = ''
beforeAll(async () => {
  folder = await bundleFunctions(mkdtempSync(join(tmpdir(), 'loadpath-bundle-')))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('two may synthesize at once: each bundles for itself, and leaves nothing but what it synthesized', async () => {
  const root = join(import.meta.dirname, '..', '..')
  const scratch = mkdtempSync(join(tmpdir(), 'loadpath-synth-'))
  const [temporary, ...assemblies] = ['temporary', 'one', 'other'].map((name) => join(scratch, name))
  try {
    mkdirSync(temporary ?? '')
    await Promise.all(
      assemblies.map((assembly) =>
        promisify(execFile)(process.execPath, [join(root, 'infra', 'app.ts')], {
          env: {
            ...process.env,
            TMPDIR: temporary,
            CDK_OUTDIR: assembly,
            CDK_CONTEXT_JSON: JSON.stringify({ ...cdkContext, stage: 'local' }),
          },
        }),
      ),
    )
    expect(readdirSync(temporary ?? '').filter((name) => name.startsWith('loadpath-'))).toEqual([])
    const [one, other] = assemblies.map((assembly) => readdirSync(assembly).sort())
    expect(one?.filter((name) => name.startsWith('asset.')).length).toBeGreaterThanOrEqual(
      functionNames().length,
    )
    expect(other).toEqual(one)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  // each takes ten seconds of a processor, wherever there is one
})

const analysing = 'validate-mesh'

test('the analysis of the mesh is in the bundle of the one function that does it, and in no other', async () => {
  const { metafile } = await build({
    entryPoints: Object.fromEntries(
      functionNames().map((name) => [name, join(functionsFolder, name, 'handler.ts')]),
    ),
    absWorkingDir: join(functionsFolder, '..'),
    outdir: 'nowhere',
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  })
  const withMesh = Object.entries(metafile.outputs).flatMap(([path, { inputs }]) =>
    Object.entries(inputs).some(([input, { bytesInOutput }]) => /^mesh\//.test(input) && bytesInOutput > 0)
      ? [path]
      : [],
  )
  expect(withMesh).toEqual([`nowhere/${analysing}.js`])
})

describe.each(functionNames())('the bundle of %s', (name) => {
  test('stands on its own: nothing but Node itself is imported', () => {
    const code = readFileSync(join(folder, name, 'index.mjs'), 'utf8')
    const imported = [...code.matchAll(/(?:^|[;}\s])(?:import|export)[^;'"]*?from\s*["']([^"']+)["']/g)].map(
      ([, module]) => module,
    )
    expect(imported.filter((module) => !module?.startsWith('node:'))).toEqual([])
  })

  // nobody waits for the one that starts once a week
  const most = name === analysing ? 800 : 400
  test(`is under ${most} KB, which is what starting it costs`, () => {
    expect(statSync(join(folder, name, 'index.mjs')).size).toBeLessThan(most * 1000)
  })

  test('starts in a bare Node with what its grants set, has a handler, loads nothing needless of Node', () => {
    const script = `const { handler } = await import('./${name}/index.mjs')
      process.stdout.write(JSON.stringify({ handler: typeof handler, loaded: process.moduleLoadList }))`
    const env = environmentOf(name)
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: folder, env })
    const { handler, loaded } = JSON.parse(said.toString())
    expect(handler).toBe('function')
    // an import of a module of Node's own would load them beside it
    for (const needless of ['internal/deps/undici/undici', 'internal/crypto/webcrypto', 'worker_threads'])
      expect(loaded).not.toContain(`NativeModule ${needless}`)
  })
})
