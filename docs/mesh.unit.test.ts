import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { loadpath } from '../test/cli/terminal.ts'

const text = readFileSync(join(import.meta.dirname, 'mesh.md'), 'utf8')

/** The first block of a kind under a heading. */
const block = (heading: string, kind: string): string =>
  text.slice(text.indexOf(`## ${heading}`)).match(new RegExp(`\`\`\`${kind}\n([\\s\\S]*?)\`\`\``))?.[1] ??
  expect.fail(`no ${kind} under ${heading}`)

const folder = mkdtempSync(join(tmpdir(), 'loadpath-example-'))
const [template, rates] = [join(folder, 'template.json'), join(folder, 'rates.yaml')]
writeFileSync(template, block('A worked example', 'json'))
writeFileSync(rates, block('A worked example', 'yaml'))
afterAll(() => rmSync(folder, { recursive: true }))

it('the worked example is what the command answers', async () => {
  const { out } = await loadpath(['mesh', 'comprehensive', '--app', template, '--rates', rates])
  const lines = out.split('\n').map((line) => line.replace(/\s+/g, ' ').trim())
  const shown = block('A worked example', 'text').trim().split('\n')
  expect(shown.length).toBeGreaterThan(3)
  for (const line of shown) expect(lines).toContain(line)
})

it('the library says the same, from a folder that has it installed', () => {
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(dirname(import.meta.dirname), join(folder, 'node_modules', 'loadpath'))
  writeFileSync(join(folder, 'example.ts'), block('As a library', 'ts'))
  const out = execFileSync(process.execPath, ['example.ts'], { cwd: folder, encoding: 'utf8' })
  const [score] = /[\d.]+/.exec(block('A worked example', 'text')) ?? []
  expect(out.split(' ')[0]).toBe(score)
  expect(out).toContain('no-redrive Orders')
})
