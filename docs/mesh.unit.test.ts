import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadpath } from '../test/cli/terminal.ts'

const text = readFileSync(join(import.meta.dirname, 'mesh.md'), 'utf8')
const example = text.slice(text.indexOf('## A worked example'))
const block = (kind: string): string =>
  example.match(new RegExp(`\`\`\`${kind}\n([\\s\\S]*?)\`\`\``))?.[1] ?? ''

it('the worked example is what the command answers', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'loadpath-example-'))
  try {
    const [template, rates] = [join(folder, 'template.json'), join(folder, 'rates.yaml')]
    writeFileSync(template, block('json'))
    writeFileSync(rates, block('yaml'))
    const { out } = await loadpath(['mesh', 'comprehensive', '--app', template, '--rates', rates])
    const lines = out.split('\n').map((line) => line.replace(/\s+/g, ' ').trim())
    const shown = block('text').trim().split('\n')
    expect(shown.length).toBeGreaterThan(3)
    for (const line of shown) expect(lines).toContain(line)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
