import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { meshFiles } from '../../test/cli/mesh-files.ts'
import { loadpath } from '../../test/cli/terminal.ts'

// whoever runs the tests may have every right: what lies in a folder named locked is nobody's to read or write
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const refusing =
    <Given extends readonly unknown[], Answer>(call: (...given: Given) => Answer) =>
    (...given: Given): Answer => {
      if (!String(given[0]).includes('/locked/')) return call(...given)
      throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    }
  return {
    ...fs,
    existsSync: (path: string) => !path.includes('/locked/') && fs.existsSync(path),
    statSync: refusing(fs.statSync),
    readFileSync: refusing(fs.readFileSync),
    writeFileSync: refusing(fs.writeFileSync),
  }
})

const { folder, template } = meshFiles()
const locked = join(folder, 'locked')
mkdirSync(locked)

it.each([
  ['a folder', ['--app', locked], `${locked}/manifest.json cannot be read`],
  ['a template', ['--app', `${locked}/t.json`], `${locked}/t.json cannot be read`],
  ['rates', ['--rates', `${locked}/r.yaml`], `${locked}/r.yaml cannot be read`],
  ['an earlier report', ['--before', `${locked}/b.json`], `${locked}/b.json cannot be read`],
  ['a page', ['--html', `${locked}/p.html`], `${locked}/p.html cannot be written`],
])('%s without rights is told so', async (_, words, says) => {
  const { code, err } = await loadpath(['mesh', 'comprehensive', '--app', template, ...words])
  const to = says.endsWith('read') ? 'read' : 'write'
  expect({ code, err }).toEqual({
    code: 1,
    err: `error: ${says}: this user has no right to ${to} it: give it to the user, for the file and its folders\n`,
  })
})

it('a link that leads to itself is told so', async () => {
  const round = join(folder, 'round')
  symlinkSync(round, round)
  expect((await loadpath(['mesh', 'static', '--app', round])).err).toMatch(
    /round cannot be read: its links lead round/,
  )
})

it('an earlier report that is not there is told so, and how to do without', async () => {
  const none = join(folder, 'none.json')
  const { code, err } = await loadpath(['mesh', 'comprehensive', '--app', template, '--before', none])
  expect({ code, err }).toEqual({
    code: 1,
    err: `error: --before: ${none} is not there: where there is no earlier report yet, leave --before out\n`,
  })
})
