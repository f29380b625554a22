import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testCompleted } from '../events/test.completed.ts'
import { type Served, serve } from '../test/cli/served.ts'

let here: Served
let folder: string
beforeAll(async () => {
  here = await serve()
  folder = mkdtempSync(join(tmpdir(), 'loadpath-cli-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await here.close()
})

describe('events', () => {
  it('list --all wants to know how far back', async () => {
    expect(await here.run(['events', 'list', '--all'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('--since'),
    })
  })

  it('a cursor that no list has answered is wrong usage', async () => {
    expect(await here.run(['events', 'list', '--cursor', 'abc'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('this cursor is none that this list has answered (400)'),
    })
  })

  it('put says what became of one, and of the same again', async () => {
    expect(await here.putTest('one', '--key', 'mine')).toEqual({
      code: 0,
      out: 'recorded test.completed one\n',
      err: '',
    })
    expect((await here.putTest('one', '--key', 'mine')).out).toBe('known test.completed one\n')
    const refused = await here.putTest('one', '--subject', 'other')
    expect(refused.code).toBe(1)
    expect(refused.out).toContain('refused loadpath-cli one is recorded with other content')
  })

  it('put takes a document, an array and lines, and a bad one among them is exit code 1', async () => {
    const event = (id: string) => ({ specversion: '1.0', id, source: 'urn:file', type: 'a.b' })
    const file = join(folder, 'events.json')
    writeFileSync(file, JSON.stringify([event('f1'), { ...event('f2'), project: 'other' }]))
    const batch = await here.run(['events', 'put', file])
    expect(batch.code).toBe(1)
    expect(batch.out).toContain('1: recorded a.b f1\n2: refused')
    expect(batch.out).toContain('  project: expected ')

    const lines = Array.from({ length: 205 }, (_, n) => JSON.stringify(event(`l${n}`))).join('\n')
    const many = await here.run(['events', 'put', '-', '--json'], { stdin: lines })
    expect(many.code).toBe(0)
    expect(
      many.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toHaveLength(205)
    expect(JSON.parse(many.out.split('\n')[204] ?? '')).toMatchObject({ outcome: 'recorded', id: 'l204' })

    const broken = await here.run(['events', 'put', '-'], {
      stdin: `${JSON.stringify(event('x'))}\nnot json`,
    })
    expect(broken).toEqual({
      code: 1,
      out: '',
      err: 'error: standard input, line 2: expected JSON, got not json\n',
    })
    expect((await here.run(['events', 'put', join(folder, 'none.json')])).err).toContain(
      'none.json cannot be read',
    )
    expect((await here.run(['events', 'put', '-'], { stdin: '' })).err).toContain(
      'standard input holds no event',
    )
  })

  it('list pages by --limit, --cursor and --all', async () => {
    const first = await here.json('events', 'list', '--type', 'a.b', '--limit', '150')
    expect(first.items).toHaveLength(150)
    expect(first.items[0]).toMatchObject({ type: 'a.b', source: 'urn:file' })
    const rest = await here.json(
      'events',
      'list',
      '--type',
      'a.b',
      '--since',
      '1h',
      '--all',
      '--cursor',
      first.next,
    )
    expect(rest.next).toBeUndefined()
    const ids = [...first.items, ...rest.items].map(({ id }: { id: string }) => id)
    expect(new Set(ids).size).toBe(206)
    const people = await here.run(['events', 'list', '--limit', '1'])
    expect(people.out).toMatch(/^RECEIVED {13}TYPE {2,}ID {2,}SOURCE\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}a\.b/)
    expect(people.err).toBe('There may be more: --limit <n>, or --since <time> --all\n')
    const all = await here.run(['events', 'list', '--type', 'no.such', '--since', '1h'])
    expect(all).toEqual({ code: 0, out: 'No events.\n', err: '' })
  })

  it('list says where it has looked no further, and goes on from there', async () => {
    const words = ['events', 'list', '--type', 'no.such']
    const { next } = await here.json(...words)
    const said = await here.run(words)
    expect(said).toEqual({
      code: 0,
      out: 'None was found so far.\n',
      err: `Older ones were not looked through: --since <time> --all, or go on with --cursor ${next}\n`,
    })
    expect((await here.json(...words, '--cursor', next)).next).not.toBe(next)
  })

  it('show, why and trace of one; 409 names the sources', async () => {
    const shown = await here.json('events', 'show', 'one')
    expect(shown).toMatchObject({
      event: { id: 'one', data: testCompleted.example },
      deliveries: [{ subscriber: 'track-build', state: 'waiting' }],
    })
    expect((await here.run(['events', 'show', 'one'])).out).toContain('"branch": "master"')
    expect((await here.json('why', 'one')).deliveries[0]).toMatchObject({
      subscriber: 'track-build',
      emitted: [],
    })
    expect((await here.json('trace', 'one')).roots[0].event).toMatchObject({ id: 'one' })
    expect((await here.run(['trace', 'one'])).out).toContain('└─ -> track-build waiting')
    await here.putTest('one', '--source', 'urn:elsewhere')
    const several = await here.run(['why', 'one'])
    expect(several.code).toBe(1)
    expect(several.err).toContain('2 sources sent an event one')
    expect(several.err).toContain('--source: expected urn:elsewhere')
    expect(several.err).not.toContain('?source=')
    expect((await here.run(['why', 'one', '--source', 'urn:elsewhere'])).code).toBe(0)
  })

  it('an id of any characters is found', async () => {
    const id = 'a/b?c#d é%2F'
    await here.putTest(id)
    expect((await here.json('events', 'show', id)).event.id).toBe(id)
  })

  it('tail shows the newest, oldest first; -f each that comes, once, until interrupted', async () => {
    const two = await here.run(['events', 'tail', '-n', '2', '--type', 'test.completed'])
    expect(two.out.trimEnd().split('\n')).toHaveLength(2)
    expect(two.out).toMatch(/test\.completed {2}one .*\n.*test\.completed {2}a\/b/)

    const interruption = new AbortController()
    const lines: string[] = []
    const tail = here.run(['events', 'tail', '-f', '-n', '1', '--type', 'test.completed', '--json'], {
      signal: interruption.signal,
      onOut: (text) => {
        lines.push(JSON.parse(text).id)
        if (lines.length === 1) void here.putTest('followed-1').then(() => here.putTest('followed-2'))
        if (lines.length === 3) setTimeout(() => interruption.abort(), 1500)
      },
    })
    expect(await tail).toMatchObject({ code: 0, err: '' })
    expect(lines).toEqual(['a/b?c#d é%2F', 'followed-1', 'followed-2'])
  })
})
