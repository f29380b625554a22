import { existsSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { edit } from './editor.ts'

afterEach(() => vi.unstubAllEnvs())

/** An editor that notes which file it was given, and does this with it. */
async function editor(does: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'loadpath-test-'))
  const noted = join(folder, 'noted')
  const script = join(folder, 'editor.mjs')
  await writeFile(
    script,
    `import { readFileSync, writeFileSync, statSync } from 'node:fs'
const file = process.argv.at(-1)
writeFileSync(${JSON.stringify(noted)}, file + ' ' + (statSync(file).mode & 0o777).toString(8))
${does}`,
  )
  vi.stubEnv('VISUAL', '')
  vi.stubEnv('EDITOR', `${process.execPath} ${script}`)
  return noted
}

it('answers what was saved; the file was the user’s alone, and is gone', async () => {
  const noted = await editor(`writeFileSync(file, readFileSync(file, 'utf8').toUpperCase())`)
  expect(await edit('a text', 'a.json')).toBe('A TEXT')
  const [file = '', mode] = (await readFile(noted, 'utf8')).split(' ')
  expect([file.endsWith('/a.json'), mode, existsSync(file)]).toEqual([true, '600', false])
})

it('fails when the editor does, or is not there, and nothing is left', async () => {
  const noted = await editor('process.exit(3)')
  await expect(edit('a text', 'a.json')).rejects.toThrow('ended with 3')
  expect(existsSync((await readFile(noted, 'utf8')).split(' ')[0] ?? '')).toBe(false)
  vi.stubEnv('EDITOR', '/no/such/editor')
  await expect(edit('a text', 'a.json')).rejects.toThrow(
    '/no/such/editor, which EDITOR names, cannot be started (ENOENT)',
  )
})
