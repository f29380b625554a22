// Longer than 300 lines: each command on what is dead, over one served stage.
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { relay } from '../core/gate/relay.ts'
import { routes } from '../events/routes.ts'
import { testCompleted } from '../events/test.completed.ts'
import { type Served, serve } from '../test/cli/served.ts'
import { loadpath, type Terminal } from '../test/cli/terminal.ts'
import { unreadable } from '../test/unreadable.ts'

let here: Served
beforeEach(async () => {
  here = await serve()
})
afterEach(async () => {
  await here.close()
})

const run = (words: string[], terminal: Terminal = {}) => loadpath(words, { env: here.env, ...terminal })
const json = async (...words: string[]) => JSON.parse((await run([...words, '--json'])).out)

const keyOf = (id: string, subscriber = 'track-build', replay = '') => ({
  ...{ project: 'main', source: 'urn:test', id, subscriber, replay },
})

async function died(id: string, reason: string, subscriber?: string, replay?: string): Promise<void> {
  await here.put('main', { id, type: 'test.completed', data: testCompleted.example })
  here.queues.take('track-build')
  const times = { started: here.now(), changed: here.now() }
  const mark = { state: 'dead' as const, attempts: 5, reason, emitted: [], ...times }
  await here.history.mark(keyOf(id, subscriber, replay), mark)
}

const stateOf = async (id: string, subscriber?: string, replay?: string) =>
  (await here.history.getDeliveries([keyOf(id, subscriber, replay)]))[0]?.state

describe('dead list', () => {
  it('shows groups, and one by one what is in them', async () => {
    await died('a', 'timed out after 100 ms')
    await died('b', 'timed out after 2000 ms')
    await died('c', 'no such branch')
    const { out } = await run(['dead', 'list'])
    expect(out).toMatch(/COUNT +SUBSCRIBER/)
    expect(out).toMatch(/^2 +track-build .* timed out after 100 ms$/m)
    expect(out).toMatch(/^1 +track-build .* no such branch$/m)
    expect(await json('dead', 'list', '--reason', 'branch')).toMatchObject({ count: 1, complete: true })
    expect((await json('dead', 'list', '--all')).items).toHaveLength(3)
    expect((await json('dead', 'list', '--limit', '2', '--reason', 'timed*')).items).toHaveLength(2)
    expect((await run(['dead', 'list', '--subscriber', 'notify'])).out).toMatch(
      /^No dead delivery matches; 3 /,
    )
  })

  it('tells nothing dead from nothing that matches', async () => {
    const words = ['--reason', 'nosuch']
    for (const list of [[], ['--all']])
      expect((await run(['dead', 'list', ...words, ...list])).out).toBe('No delivery is dead.\n')
    await died('a', 'x')
    await died('b', 'x')
    const none = 'No dead delivery matches; 2 deliveries are dead: loadpath dead list\n'
    for (const list of [
      ['list'],
      ['list', '--all'],
      ['redrive', '--dry-run'],
      ['redrive'],
      ['drop', '--yes'],
    ])
      expect(await run(['dead', ...list, ...words]), `${list}`).toMatchObject({ code: 0, out: none })
    expect((await json('jobs', 'list')).items).toEqual([])
    expect(await json('dead', 'redrive', ...words)).toMatchObject({ groups: [], count: 0 })
  })

  it('names what it cannot read, beside the others', async () => {
    for (const id of ['a', 'b', 'c']) await died(id, 'x')
    here.history.getDeliveries = unreadable('b')(here.history.getDeliveries)
    const { items, unreadable: left } = await json('dead', 'list', '--all')
    expect([items.map(({ id }: { id: string }) => id), left]).toEqual([['a', 'c'], ['b']])
    const said = await run(['dead', 'list', '--all'])
    expect(said).toMatchObject({ code: 0, err: expect.stringMatching(/^Left out, as newer code .*: b$/m) })
  })

  it.each(['list', 'redrive', 'drop'])(
    '%s refuses a type that nobody takes, and a window that ends before',
    async (name) => {
      await died('a', 'x')
      const type = await run(['dead', name, '--type', 'nosuch', '--yes'].slice(0, name === 'drop' ? 5 : 4))
      expect(type).toMatchObject({ code: 2, out: '' })
      expect(type.err).toMatch(/type: expected one of .*test\.completed.*, got nosuch/)
      const window = await run(['dead', name, '--since', '1h', '--until', '2h'])
      expect(window).toMatchObject({ code: 2, out: '' })
      expect(window.err).toContain('--until: expected a time after --since')
    },
  )

  it('an unknown subscriber is wrong usage; one that has no such delivery is none', async () => {
    await died('a', 'x')
    for (const words of [['list'], ['redrive'], ['redrive', '--dry-run'], ['drop']])
      expect(await run(['dead', ...words, '--subscriber', 'nosuch']), `${words}`).toMatchObject({
        code: 2,
        err: expect.stringMatching(
          /there is no subscriber nosuch \(404\)\n {2}.*subscriber: expected one of /,
        ),
      })
    expect(await run(['dead', 'show', 'a', '--subscriber', 'nosuch'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('has no delivery to nosuch that was tried (404)'),
    })
  })

  it('says what is wrong with a filter', async () => {
    expect((await run(['dead', 'list', '--where', 'nothing'])).code).toBe(2)
    expect((await run(['dead', 'list', '--since', 'then'])).code).toBe(2)
  })
})

describe('dead redrive', () => {
  it('sends one event again, and says "already" the second time', async () => {
    await died('a', 'x')
    expect((await run(['dead', 'redrive', 'a', '--dry-run'])).out).toBe(
      'test.completed a would be sent to track-build.\n',
    )
    expect((await run(['dead', 'redrive', 'a'])).out).toBe('track-build sent\n')
    expect(await run(['dead', 'redrive', 'a'])).toMatchObject({
      code: 0,
      out: 'track-build already retrying\n',
    })
    expect(here.queues.take('track-build')).toHaveLength(1)
    const times = { started: here.now(), changed: here.now() }
    await here.history.mark(keyOf('a'), { state: 'done', attempts: 1, emitted: [], ...times })
    expect(await run(['dead', 'redrive', 'a'])).toMatchObject({ code: 0, out: 'track-build already done\n' })
  })

  it('fails where nothing will be sent, as it was dropped', async () => {
    await died('a', 'x')
    await died('a', 'x', 'notify')
    const drop = (name: string) => run(['dead', 'drop', 'a', '--subscriber', name, '--yes'])
    await drop('track-build')
    expect(await run(['dead', 'redrive', 'a'])).toMatchObject({ code: 0, out: 'notify sent\n' })
    const named = ['dead', 'redrive', 'a', '--subscriber', 'track-build']
    expect(await run(named)).toMatchObject({ code: 1, out: 'track-build already dropped\n' })
    const again = await run(['dead', 'redrive', 'a'])
    expect([again.code, again.out.trimEnd().split('\n').toSorted()]).toEqual([
      0,
      ['notify already retrying', 'track-build already dropped'],
    ])
  })

  it('counts what filters mean, and changes nothing, with --dry-run', async () => {
    for (const id of ['a', 'b', 'c']) await died(id, id === 'c' ? 'other' : 'fetch failed')
    const { out } = await run(['dead', 'redrive', '--reason', 'fetch', '--where', 'suite=unit', '--dry-run'])
    expect(out).toContain('2 deliveries would be sent.')
    expect((await json('jobs', 'list')).items).toEqual([])
    expect(await stateOf('a')).toBe('dead')
  })

  it('asks for a job by filters, which jobs shows, pauses and stops', async () => {
    await died('a', 'x')
    const { out, err } = await run(['dead', 'redrive', '--subscriber', 'track-build', '--rate', '5'])
    const [id = ''] = /[0-9a-f-]{36}/.exec(out) ?? []
    expect(err).toContain(`loadpath jobs show ${id}`)
    expect((await run(['jobs', 'show', id])).out).toContain('5 a second')
    expect((await run(['jobs', 'list'])).out).toMatch(new RegExp(`redrive +${id} +track-build +running`))
    expect((await run(['jobs', 'pause', id])).out).toContain('paused')
    expect((await run(['jobs', 'resume', id])).err).toContain('try again in a moment')
    const gate = { ...here.deps, clock: here.now, random: Math.random, routes }
    await relay([{ project: 'main', partitionkey: `job/${id}` }], gate)
    expect((await json('jobs', 'resume', id)).attempt).toBe(2)
    const stopped = await run(['jobs', 'stop', id, '--reason', 'enough'])
    expect(stopped.out).toContain('enough')
    expect(await run(['jobs', 'show', id, '--wait'])).toMatchObject({ code: 1 })
    expect(await run(['jobs', 'show', 'none'])).toMatchObject({ code: 1 })
  })

  it('says to whom it would be sent, where several deliveries of an event are dead', async () => {
    await died('a', 'x')
    await died('a', 'x', 'notify')
    await died('a', 'x', 'track-build', 'j1')
    const would = async (...words: string[]) =>
      (await run(['dead', 'redrive', 'a', '--dry-run', ...words])).out
        .trimEnd()
        .split('\n')
        .map((line) => line.replace('test.completed a would be sent to ', ''))
        .toSorted()
    expect(await would()).toEqual(['notify.', 'track-build (replay j1).', 'track-build.'])
    expect(await would('--subscriber', 'track-build', '--replay', '')).toEqual(['track-build.'])
    expect(await would('--replay', 'j1')).toEqual(['track-build (replay j1).'])
    expect(await stateOf('a')).toBe('dead')
    expect((await run(['dead', 'redrive', 'a', '--subscriber', 'notify'])).out).toBe('notify sent\n')
    const sent = await run(['dead', 'redrive', 'a', '--subscriber', 'notify', '--dry-run'])
    expect([sent.code, sent.err]).toEqual([1, expect.stringContaining('notify is retrying')])
  })

  it('is told which: nothing at all is not everything, and one event has no rate', async () => {
    for (const words of [
      [],
      ['a', '--all'],
      ['a', '--type', 'x'],
      ['--source', 's'],
      ['--replay', 'j1', '--all'],
      ['a', '--rate', '5'],
      ['a', '--stop-after', '5'],
      ['a', '--wait'],
    ])
      expect((await run(['dead', 'redrive', ...words])).code, words.join(' ')).toBe(2)
  })

  it('asks for all of it by --all', async () => {
    await died('a', 'x')
    expect(await run(['dead', 'redrive', '--all'])).toMatchObject({ code: 0 })
  })
})

describe('dead drop', () => {
  it('asks before it drops, and drops nothing when nobody agrees', async () => {
    await died('a', 'x')
    expect(await run(['dead', 'drop', 'a'])).toMatchObject({ code: 2 })
    const asked: string[] = []
    const agrees = (answer: boolean) => async (question: string) => {
      asked.push(question)
      return answer
    }
    expect(await run(['dead', 'drop', 'a'], { agrees: agrees(false) })).toMatchObject({ code: 1 })
    expect(await stateOf('a')).toBe('dead')
    const { out } = await run(['dead', 'drop', 'a', '--because', 'a test'], { agrees: agrees(true) })
    expect([out, await stateOf('a')]).toEqual(['track-build dropped\n', 'dropped'])
    expect(asked).toHaveLength(2)
  })

  it('drops what filters mean, however many, and says how many', async () => {
    for (let n = 0; n < 60; n++) await died(`m${n}`, 'old')
    await died('other', 'new')
    let question = ''
    const agrees = async (text: string) => {
      question = text
      return true
    }
    const { out } = await run(['dead', 'drop', '--reason', 'old'], { agrees })
    expect([out, question]).toEqual([
      '60 deliveries dropped.\n',
      expect.stringContaining('Drop 60 deliveries?'),
    ])
    expect(await json('dead', 'drop', '--all', '--yes')).toEqual({ dropped: 1, already: 0, unreadable: 0 })
  })
})

describe('dead drop, while more dies', () => {
  it('leaves what died after it was counted', async () => {
    await died('a', 'old')
    const agrees = async () => {
      here.wait(5)
      await died('later', 'old')
      return true
    }
    const words = ['dead', 'drop', '--reason', 'old', '--because', 'a test']
    expect((await run(words, { agrees })).out).toBe('1 delivery dropped.\n')
    expect([await stateOf('a'), await stateOf('later')]).toEqual(['dropped', 'dead'])
    expect((await here.history.getDeliveries([keyOf('a')]))[0]?.reason).toContain('a test')
  })
})

describe('a live delivery and one of a replay, both dead', () => {
  it('each is shown and dropped by --replay', async () => {
    await died('a', 'of the live one')
    await died('a', 'of the replay', 'track-build', 'j1')
    expect((await run(['dead', 'show', 'a', '--replay', 'j1'])).out).toContain('of the replay')
    expect((await run(['dead', 'show', 'a', '--replay', ''])).out).toContain('of the live one')
    const { out } = await run(['dead', 'drop', 'a', '--replay', 'j1', '--yes'])
    expect(out).toBe('track-build (replay j1) dropped\n')
    expect([await stateOf('a'), await stateOf('a', 'track-build', 'j1')]).toEqual(['dead', 'dropped'])
  })

  it('the live one is edited by --replay', async () => {
    await died('a', 'x')
    await died('a', 'x', 'track-build', 'j1')
    const data = JSON.stringify({ ...testCompleted.example, suite: 'mended' })
    const ofReplay = await run(['dead', 'edit', 'a', '--replay', 'j1', '--data', data])
    expect(ofReplay).toMatchObject({ code: 1, err: expect.stringContaining('delivery of replay j1') })
    const edited = await run(['dead', 'edit', 'a', '--replay', '', '--data', data])
    expect(edited).toMatchObject({ code: 0, err: '' })
    expect([await stateOf('a'), await stateOf('a', 'track-build', 'j1')]).toEqual(['dropped', 'dead'])
  })
})

describe('dead edit', () => {
  const mended = { ...testCompleted.example, suite: 'mended' }

  it('takes data as JSON, from a file and from standard input, and shows what was changed', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'loadpath-test-')), 'data.json')
    await writeFile(file, JSON.stringify(mended))
    for (const [id, data] of [
      ['a', JSON.stringify(mended)],
      ['b', file],
      ['c', '-'],
    ] as const) {
      await died(id, 'x')
      const { out, code } = await run(['dead', 'edit', id, '--data', data], { stdin: JSON.stringify(mended) })
      expect([code, out]).toEqual([
        0,
        expect.stringContaining('/suite\n  - "unit"\n  + "mended"\ntrack-build gets '),
      ])
      expect(await stateOf(id)).toBe('dropped')
    }
    const again = await run(['dead', 'edit', 'a', '--data', JSON.stringify(mended)])
    expect(again.out).toContain('It was edited so already')
  })

  it('opens the editor, again where what it gave does not fit', async () => {
    await died('a', 'x')
    const seen: string[] = []
    const replies = ['{ no json', JSON.stringify({ ...mended, failed: 'x' }), JSON.stringify(mended)]
    const edit = async (text: string) => {
      seen.push(text)
      return replies[seen.length - 1] ?? text
    }
    const { code, out, err } = await run(['dead', 'edit', 'a'], { edit, agrees: async () => true })
    expect([code, out]).toEqual([0, expect.stringContaining('"mended"')])
    expect(JSON.parse(seen[0] ?? '')).toEqual(testCompleted.example)
    expect(seen.slice(1)).toEqual(replies.slice(0, 2))
    expect(err).toContain('data.failed: expected number')
  })

  it('does nothing when nothing was changed, when they give up, and when nobody is there', async () => {
    await died('a', 'x')
    expect(await run(['dead', 'edit', 'a'], { edit: async (text) => text })).toMatchObject({ code: 1 })
    const gaveUp = { edit: async () => '{', agrees: async () => false }
    expect(await run(['dead', 'edit', 'a'], gaveUp)).toMatchObject({ code: 1 })
    expect(await run(['dead', 'edit', 'a'])).toMatchObject({ code: 2 })
    expect(await stateOf('a')).toBe('dead')
  })

  it('says what does not fit', async () => {
    await died('a', 'x')
    const { code, err } = await run(['dead', 'edit', 'a', '--data', '{"suite":1}'])
    expect([code, err]).toEqual([1, expect.stringContaining('data.suite: expected string, got 1')])
  })
})
