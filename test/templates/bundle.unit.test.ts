import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { variables } from '../adapters/environment.ts'
import { bundleFunctions, functionNames } from './bundle.ts'

const everything = Object.fromEntries(variables.map((name) => [name, 'some-name']))

let folder = ''
beforeAll(async () => {
  folder = await bundleFunctions(mkdtempSync(join(tmpdir(), 'loadpath-bundle-')))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each(functionNames())('the bundle of %s', (name) => {
  test('stands on its own: nothing but Node itself is imported', () => {
    const code = readFileSync(join(folder, name, 'index.mjs'), 'utf8')
    const imported = [...code.matchAll(/(?:^|[;}\s])(?:import|export)[^;'"]*?from\s*["']([^"']+)["']/g)].map(
      ([, module]) => module,
    )
    expect(imported.filter((module) => !module?.startsWith('node:'))).toEqual([])
  })

  test('is under 400 KB, which is what starting it costs', () => {
    expect(statSync(join(folder, name, 'index.mjs')).size).toBeLessThan(400_000)
  })

  test('loads in a bare Node and has a handler', () => {
    const script = `process.stdout.write(typeof (await import('./${name}/index.mjs')).handler)`
    const env = {
      ...everything,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      ACCOUNT_PROJECTS: '{}',
    }
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: folder, env })
    expect(said.toString()).toBe('function')
  })
})
