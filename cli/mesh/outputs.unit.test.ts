import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { meshFiles } from '../../test/cli/mesh-files.ts'
import { loadpath } from '../../test/cli/terminal.ts'

const { folder, file, template } = meshFiles()
const ratesText = 'version: 1\narrivals: { Orders: { order.placed: 20/s } }\n'
const rates = file('rates.yaml', ratesText)
const before = file('before.json', '{}')
const linked = join(folder, 'linked.yaml')
symlinkSync(rates, linked)
const assembly = join(folder, 'cdk.out')
mkdirSync(assembly)
const manifest = file('cdk.out/manifest.json', '{}')
const page = join(folder, 'page')

it.each([
  ['the rates', ['--html', rates], `--html: ${rates} is read by --rates: write to another file`],
  ['the rates by a link', ['--markdown', linked], `--markdown: ${linked} is read by --rates`],
  ['the earlier report', ['--before', before, '--html', before], 'is read by --before'],
  ['the template', ['--html', template], `${template} is read by --app`],
  ['a file of an assembly', ['--app', assembly, '--html', manifest], `${manifest} is read by --app`],
  [
    'the other output',
    ['--html', page, '--markdown', `${folder}/./page`],
    '/./page is that of --html too: give each its own',
  ],
])('is not written over: %s', async (_, words, says) => {
  const said = await loadpath(['mesh', 'comprehensive', '--app', template, '--rates', rates, ...words])
  expect(said).toEqual({ code: 2, out: '', err: expect.stringContaining(says) })
  expect(readFileSync(rates, 'utf8')).toBe(ratesText)
  expect(() => readFileSync(page)).toThrow('ENOENT')
})

it('a page may lie in the folder of the app, be written anew, and go nowhere', async () => {
  const files = {
    'manifest.json': { version: '55.0.0', artifacts: { S: stack } },
    's.json': readFileSync(template, 'utf8'),
  }
  mkdirSync(join(folder, 'app'))
  for (const [name, content] of Object.entries(files)) file(`app/${name}`, content)
  const app = join(folder, 'app')
  const html = join(app, 'mesh.html')
  for (const words of [
    ['--html', html],
    ['--html', html],
    ['--html', '/dev/null', '--markdown', '/dev/null'],
  ])
    expect((await loadpath(['mesh', 'comprehensive', '--app', app, ...words])).code).toBe(0)
})

const stack = { type: 'aws:cloudformation:stack', properties: { templateFile: 's.json' } }
