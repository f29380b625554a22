import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { githubPush } from '../events/github.push.ts'
import { type Served, serve } from '../test/cli/served.ts'
import { loadpath, type Terminal } from '../test/cli/terminal.ts'
import { localTime } from './output.ts'

let here: Served
beforeEach(async () => {
  here = await serve()
})
afterEach(async () => {
  await here.close()
})

const run = (words: string[], terminal: Terminal = {}) => loadpath(words, { env: here.env, ...terminal })

/** The one JSON document that a command writes. */
async function json(code: number, ...words: string[]) {
  const said = await run([...words, '--json'])
  expect({ code: said.code, err: said.err }).toEqual({ code, err: '' })
  return JSON.parse(said.out)
}

const bad = { ...githubPush.example, ref: 'main' }

/** A webhook that does not fit; answers its digest. */
async function webhook(id: string, given: Record<string, unknown> = {}): Promise<string> {
  const event = { id, source: 'https://github.com/octo/hello', type: 'github.push', data: bad, ...given }
  const outcome = await here.put('main', event)
  if (outcome?.status !== 'quarantined') throw new Error(`it is ${outcome?.status}`)
  return outcome.digest
}

it('list: groups first, then one by one, and what was settled', async () => {
  expect((await run(['quarantine', 'list'])).out).toBe('Nothing is in quarantine.\n')
  const digests = [await webhook('a'), await webhook('b')]
  await webhook('forged', { type: 'repository.analyzed', data: {} })
  const groups = (await run(['quarantine', 'list'])).out
  expect(groups).toMatch(/^COUNT +REASON +TYPE +WHERE/)
  expect(groups).toMatch(/2 +invalid +github\.push +data\.ref/)
  expect(groups).toMatch(/1 +forged +repository\.analyzed +type/)
  expect((await json(0, 'quarantine', 'list')).items).toHaveLength(2)
  const each = await json(0, 'quarantine', 'list', '--all', '--type', 'github.push')
  expect(each.items.map(({ digest }: { digest: string }) => digest).sort()).toEqual(digests.toSorted())
  expect((await json(0, 'quarantine', 'list', '--limit', '1')).items).toHaveLength(1)
  await run(['quarantine', 'drop', digests[0] ?? '', '--because', 'a test', '--yes'])
  const settled = await run(['quarantine', 'list', '--settled'])
  expect(settled.out).toMatch(/invalid +github\.push +dropped +user:\S+ +a test/)
})

it('show, by the beginning of a digest: the text as it came, and what became of it', async () => {
  const digest = await webhook('a')
  const shown = await run(['quarantine', 'show', digest.slice(0, 8)])
  expect(shown.out).toContain('data.ref: expected')
  expect(shown.out).toContain('"ref":"main"')
  expect((await run(['quarantine', 'show', 'ab12ff'])).code).toBe(1)
  expect((await run(['quarantine', 'show', digest.slice(0, 4).toUpperCase()])).code).toBe(0)
  await run(['quarantine', 'drop', digest.slice(0, 8), '--yes'])
  for (const named of [digest, digest.slice(0, 12), digest.slice(0, 4).toUpperCase()])
    expect((await run(['quarantine', 'show', named])).out).toMatch(/settled +dropped by user:/)
  for (const [code, ...words] of [[1, 'redrive'] as const, [0, 'drop', '--yes'] as const])
    expect(await run(['quarantine', ...words, digest.slice(0, 12)])).toMatchObject({
      code,
      out: expect.stringContaining('was settled before: dropped by user:'),
    })
  const data = JSON.stringify(githubPush.example)
  const edit = await run(['quarantine', 'edit', digest.slice(0, 12), '--data', data])
  expect(edit).toMatchObject({ code: 1, out: '' })
  expect(edit.err).toContain('this edit was not applied: it was dropped before by user:')
})

it('edit with data from an argument, a file or standard input; a dry run changes nothing', async () => {
  const digest = await webhook('a')
  const data = JSON.stringify(githubPush.example)
  const dry = await run(['quarantine', 'edit', digest, '--data', data, '--dry-run'])
  expect([dry.code, dry.out]).toEqual([
    0,
    expect.stringContaining('would be recorded: github.push a of https'),
  ])
  const wrong = await run(['quarantine', 'edit', digest, '--data', '-'], { stdin: JSON.stringify(bad) })
  expect([wrong.code, wrong.err]).toEqual([
    1,
    expect.stringMatching(/it stays in quarantine: invalid \(422\)\n {2}data\.ref: expected/),
  ])
  const file = join(await mkdtemp(join(tmpdir(), 'loadpath-test-')), 'mended.json')
  await writeFile(file, data)
  expect(await json(0, 'quarantine', 'edit', digest, '--data', file)).toMatchObject({ outcome: 'recorded' })
  for (const [code, ...words] of [[0, 'edit', '--data', data] as const, [1, 'drop', '--yes'] as const])
    expect(await run(['quarantine', ...words, digest])).toMatchObject({
      code,
      out: expect.stringContaining('was settled before: recorded by user:'),
    })
  expect(here.queues.take('analyze-push')).toHaveLength(1)
})

it('edit in an editor, or as a whole text', async () => {
  const digest = await webhook('a')
  expect(await run(['quarantine', 'edit', digest])).toMatchObject({
    code: 2,
    err: expect.stringContaining('give --data or --text'),
  })
  const untouched = await run(['quarantine', 'edit', digest], { edit: async (text) => text })
  expect([untouched.code, untouched.err]).toEqual([1, expect.stringContaining('Nothing was changed')])
  const seen: string[] = []
  const mended = await run(['quarantine', 'edit', digest], {
    edit: async (text, name) => {
      seen.push(name, text)
      return text.replace('"ref": "main"', '"ref": "refs/heads/main"')
    },
  })
  expect(mended).toMatchObject({ code: 0, out: expect.stringContaining('is recorded') })
  expect(seen).toEqual([`${digest.slice(0, 12)}.json`, expect.stringContaining('\n  "id": "a"')])
  const other = await webhook('b')
  const { raw } = await json(0, 'quarantine', 'show', other)
  const text = raw.replace('"main"', '"refs/heads/main"')
  expect(await run(['quarantine', 'edit', other, '--text', '-'], { stdin: text })).toMatchObject({ code: 0 })
})

it('what was released says so wherever the event is shown: by whom, and whether they changed it', async () => {
  const digest = await webhook('a')
  await run(['quarantine', 'edit', digest, '--data', JSON.stringify(githubPush.example)])
  const { released } = (await json(0, 'why', 'a')).event
  expect(released).toEqual({
    ...{ digest, edited: true, by: expect.stringMatching(/^user:/), at: expect.any(String) },
  })
  const said = `from quarantine by ${released.by}, edited at ${localTime(released.at)}`
  expect((await run(['why', 'a'])).out).toContain(`  released ${said}: loadpath quarantine show ${digest}\n`)
  expect((await run(['trace', 'a'])).out).toContain(`  released ${said}\n`)
  expect((await run(['events', 'show', 'a'])).out).toMatch(new RegExp(`^ *released +${said}$`, 'm'))
})

it.each([
  [['--data', '{'], 'expected JSON'],
  [['--data', '/no/such/file'], 'expected a file or -'],
  [['--data', '1', '--text', 'x'], 'either --data or --text'],
])('edit %j is wrong usage: %s', async (options, words) => {
  const digest = await webhook('a')
  expect(await run(['quarantine', 'edit', digest, ...options])).toMatchObject({
    code: 2,
    err: expect.stringContaining(words),
  })
})

it('redrive one: as it came, and still refused it stays', async () => {
  const digest = await webhook('a')
  const said = await run(['quarantine', 'redrive', digest])
  expect([said.code, said.err]).toEqual([1, expect.stringContaining('data.ref: expected')])
  const dry = await run(['quarantine', 'redrive', digest, '--dry-run'])
  expect([dry.code, dry.out]).toEqual([1, expect.stringContaining('still refused')])
  expect(await run(['quarantine', 'redrive', digest, '--type', 'x'])).toMatchObject({ code: 2 })
})

it('redrive all: stops when the same refusal repeats, and says what it is', async () => {
  for (let n = 0; n < 15; n++) await webhook(`p${n}`)
  expect(await run(['quarantine', 'redrive'])).toMatchObject({ code: 2, out: '' })
  const stopped = await json(1, 'quarantine', 'redrive', '--all', '--stop-after', '4')
  expect(stopped).toMatchObject({
    counts: { refused: 4 },
    refusals: [{ refusal: expect.stringMatching(/^invalid: data\.ref: expected/), count: 4 }],
    stopped: { count: 4 },
  })
  const said = await run(['quarantine', 'redrive', '--all', '--stop-after', '4'])
  expect(said.out).toContain('Stopped: 4 entries refused alike')
  const dry = await json(1, 'quarantine', 'redrive', '--all', '--dry-run', '--stop-after', '2')
  expect(dry).toMatchObject({ counts: { refused: 15 } })
  expect(dry).not.toHaveProperty('stopped')
  expect(await json(0, 'quarantine', 'redrive', '--type', 'github.other')).toEqual({
    counts: {},
    refusals: [],
  })
})

it('redrive all: at a rate, until all that is admitted now is recorded', async () => {
  const raw = (id: string) =>
    JSON.stringify({ specversion: '1.0', id, source: 'urn:x', type: 'acme.x', data: id })
  for (const id of ['a', 'b', 'c'])
    await here.history.quarantine({
      project: 'main',
      digest: id.repeat(64),
      reason: 'invalid',
      faults: [],
      door: 'http',
      received: here.now(),
      raw: raw(id),
      type: 'acme.x',
    })
  const began = Date.now()
  expect(await json(0, 'quarantine', 'redrive', '--all', '--rate', '5', '--stop-after', '1')).toMatchObject({
    counts: { recorded: 3 },
    refusals: [],
  })
  expect(Date.now() - began).toBeGreaterThan(350)
  expect((await run(['quarantine', 'list'])).out).toBe('Nothing is in quarantine.\n')
})

it('redrive all: interrupted is not done', async () => {
  for (const id of ['a', 'b', 'c']) await webhook(id)
  const paced = await run(['quarantine', 'redrive', '--reason', 'invalid', '--rate', '2'])
  expect([paced.err, paced.out.split('\n')[0]]).toEqual(['2 refused\n', '3 refused'])
  const controller = new AbortController()
  controller.abort()
  const words = ['quarantine', 'redrive', '--all', '--rate', '1', '--stop-after', '5']
  const said = await run(words, { signal: controller.signal })
  expect([said.code, said.out]).toEqual([1, expect.stringContaining('Interrupted.')])
})

it('the editor opens again with what they wrote, where that is refused', async () => {
  const digest = await webhook('a')
  const seen: string[] = []
  const edit = async (text: string) => {
    seen.push(text)
    return text.replace(
      seen.length === 1 ? '"main"' : '"of main"',
      seen.length === 1 ? '"of main"' : '"refs/heads/main"',
    )
  }
  const said = await run(['quarantine', 'edit', digest], { edit, agrees: async () => true })
  expect([said.code, said.out]).toEqual([0, expect.stringContaining('is recorded')])
  expect(seen[1]).toContain('"of main"')
  expect(said.err).toContain('data.ref: expected')
})

it('drop asks first, and drops by filter what was counted', async () => {
  const digests = [await webhook('a'), await webhook('b')]
  const forged = await webhook('forged', { type: 'repository.analyzed', data: {} })
  expect(await run(['quarantine', 'drop', forged])).toMatchObject({ code: 2 })
  expect(await run(['quarantine', 'drop', forged], { agrees: async () => false })).toMatchObject({ code: 1 })
  expect((await json(0, 'quarantine', 'list', '--all')).items).toHaveLength(3)
  for (const words of [[], [forged, '--all'], [forged, '--type', 'x']])
    expect((await run(['quarantine', 'drop', ...words, '--yes'])).code).toBe(2)
  let question = ''
  const agrees = async (text: string) => {
    question = text
    await webhook('later')
    return true
  }
  const dropped = await run(['quarantine', 'drop', '--reason', 'invalid'], { agrees })
  expect([dropped.code, question]).toEqual([0, expect.stringContaining('Drop 2 entries?')])
  for (const digest of digests) expect(dropped.out).toContain(`${digest.slice(0, 12)} dropped`)
  expect((await json(0, 'quarantine', 'list', '--all')).items).toHaveLength(2)
})

it('says so where several begin with what was given', async () => {
  for (const end of ['1', '2'])
    await here.history.quarantine({
      ...{ project: 'main', digest: `abcdef${end.repeat(58)}`, reason: 'invalid', faults: [], door: 'http' },
      ...{ received: here.now(), raw: '{}' },
    })
  const { code, err } = await run(['quarantine', 'show', 'abcdef'])
  expect([code, err]).toEqual([1, expect.stringContaining('2 in quarantine begin with abcdef: abcdef')])
  expect((await run(['quarantine', 'show', 'abcdef1'])).code).toBe(0)
})
