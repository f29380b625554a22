import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { markOf } from './processes.ts'
import { claim, lostText, readKept, running, writeKept } from './state.ts'

const directory = mkdtempSync(join(tmpdir(), 'loadpath-state-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const file = join(directory, 'local.json')
beforeEach(() => rmSync(file, { force: true }))

const me = markOf(process.pid)
const gone = { pid: process.pid, start: 'long ago' }
const ready = {
  phase: 'ready',
  endpoint: { url: 'http://127.0.0.1:4566' },
  api: 'http://127.0.0.1:4566/api',
  apiKey: 'key',
  webhookSecret: 'secret',
} as const

describe('what runs', () => {
  test('is told while the process that noted it runs', () => {
    writeKept({ ...ready, up: me }, file)
    expect(running(file)).toEqual({
      pid: process.pid,
      endpoint: ready.endpoint.url,
      api: ready.api,
      apiKey: 'key',
      webhookSecret: 'secret',
    })
  })

  test.each([
    ['nothing was noted', undefined],
    ['the pid is of another process by now', { ...ready, up: gone }],
    ['it is still starting', { ...ready, up: me, phase: 'starting' as const }],
    ['it has ended', { ...ready, phase: 'stopped' as const }],
  ])('is nothing when %s', (_, kept) => {
    if (kept) writeKept(kept, file)
    expect(running(file)).toBeUndefined()
  })
})

test('it holds secrets, so nobody else may read it, whatever it was before', () => {
  writeFileSync(file, '{}', { mode: 0o644 })
  writeKept({ ...ready, up: me }, file)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('what an older version noted in another form counts as nothing', () => {
  writeFileSync(file, '{"pid": 12}')
  expect(readKept(file)).toEqual({ phase: 'stopped' })
})

test.each([
  ['saved since it began', '2026-01-01T10:00:00.000Z', '2026-01-01T11:00:00.000Z', undefined],
  ['saved at the end before', '2026-01-01T10:00:00.000Z', '2026-01-01T09:00:00.000Z', /gone$/],
  ['never saved', '2026-01-01T10:00:00.000Z', undefined, /gone$/],
  ['never began, as far as is known', undefined, undefined, undefined],
])('what is gone of an endpoint that has %s', (_, began, saved, said) => {
  const text = lostText({ phase: 'stopped', ...(began && { began }) }, saved)
  if (said === undefined) expect(text).toBeUndefined()
  else expect(text).toMatch(said)
})

test('it is said since when what came is gone', () => {
  const began = new Date(2026, 0, 31, 12, 0, 3).toISOString()
  expect(lostText({ phase: 'ready', began }, undefined)).toBe(
    'it did not end gracefully last time: what came since its last start, at 2026-01-31 12:00:03, is gone',
  )
})

describe('claim', () => {
  test('goes to the first of two, and the other is told who', async () => {
    expect(await claim(file)).toEqual({ before: { phase: 'stopped' } })
    expect(await claim(file)).toEqual({ by: me, phase: 'starting' })
  })

  test('takes over from a process that is gone, with what it left', async () => {
    writeKept({ ...ready, up: gone }, file)
    expect(await claim(file)).toEqual({ before: { ...ready, up: gone } })
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ phase: 'starting', up: me, apiKey: 'key' })
  })

  test('takes a lock over that somebody died with', async () => {
    writeFileSync(`${file}.lock`, '')
    utimesSync(`${file}.lock`, 0, 0)
    expect(await claim(file)).toHaveProperty('before')
  })
})
