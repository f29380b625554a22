import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { consume } from '../core/consume/consume.ts'
import { relay } from '../core/gate/relay.ts'
import { replayBatch } from '../core/replay/replay-batch.ts'
import { githubPush } from '../events/github.push.ts'
import { routes, routeTo } from '../events/routes.ts'
import { type Served, serve } from '../test/cli/served.ts'
import { loadpath } from '../test/cli/terminal.ts'

let here: Served
beforeAll(async () => {
  here = await serve()
  for (const id of ['p1', 'p2']) await here.put('main', { id, type: 'github.push', data: githubPush.example })
  here.queues.take('analyze-push')
})
afterAll(async () => {
  await here.close()
})

const run = (...words: string[]) => loadpath(words, { env: here.env })
const hour = ['--since', '2026-01-10T12:00:00Z', '--until', '2026-01-10T13:00:00Z']

/** Does what the run of a replay would do. */
async function play(id: string): Promise<void> {
  const ports = { ...here.deps, clock: here.deps.now, routes }
  await relay([{ project: 'main', partitionkey: `job/${id}` }], ports)
  const [frame] = here.queues.take('replay')
  const { event } = JSON.parse(frame ?? expect.fail('no run was asked for'))
  for (;;) {
    const { state } = await replayBatch({ event, attempt: 1 }, ports, 20)
    if (state === 'ended') return
    const messages = here.queues.take('analyze-push').map((body) => ({ body, receiveCount: 1 }))
    await consume(routeTo('analyze-push'), async () => [], messages, ports)
  }
}

describe('replay', () => {
  it('counts with --dry-run', async () => {
    const { code, out } = await run('replay', 'analyze-push', ...hour, '--dry-run')
    expect({ code, out }).toEqual({ code: 0, out: 'EVENTS  TYPE\n2       github.push\n2       in all\n' })
    const none = await run('replay', 'analyze-push', '--event', 'p1', '--until', '2020-01-01', '--dry-run')
    expect(none.out).toBe('No event of the history fits.\n')
    expect(await here.queues.depth('analyze-push')).toBe(0)
  })

  it('of a workflow with --emit is refused with --dry-run as without', async () => {
    const words = ['replay', 'test-and-validate', '--event', 'p1', '--emit', '--yes']
    for (const more of [[], ['--dry-run']])
      expect(await run(...words, ...more), `${more}`).toMatchObject({
        code: 1,
        err: expect.stringContaining('leave emit out'),
      })
  })

  it('asks for a job, lists and shows it, and waits for one', async () => {
    const asked = await run('replay', 'analyze-push', ...hour, '--json')
    expect(asked.code).toBe(0)
    const { id } = JSON.parse(asked.out)
    await play(id)
    const waited = await run('jobs', 'show', id, '--wait')
    expect(waited).toMatchObject({ code: 0, out: expect.stringContaining('2 sent, 2 done') })
    expect((await run('jobs', 'list', '--kind', 'replay')).out).toContain(id)
    expect((await run('replay', 'show', id)).out).toMatch(/^replay \S+ done\n/)
  })

  it('waits with --wait, and shows what it came to', async () => {
    const waiting = run('replay', 'analyze-push', '--event', 'p1', '--wait')
    const listed = async () => (await here.list(here.env.LOADPATH_API_KEY, '/v1/jobs?state=running')).items
    for (let tries = 0; (await listed()).length === 0; tries++) {
      expect(tries).toBeLessThan(1000)
      await sleep(5)
    }
    const [job] = await listed()
    await play(String(job?.id))
    const { code, out, err } = await waiting
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/^replay \S+ done\n/) })
    expect(err).toMatch(/replay \S+ done: .*1 sent, 1 done/)
  })

  it('is paused, resumed and stopped', async () => {
    const { id } = JSON.parse((await run('replay', 'analyze-push', '--event', 'p2', '--json')).out)
    expect((await run('jobs', 'pause', id)).out).toMatch(/^replay \S+ paused\n/)
    expect((await run('replay', 'show', id)).out).toContain(`loadpath jobs resume ${id}`)
    await relay([{ project: 'main', partitionkey: `job/${id}` }], { ...here.deps, clock: here.now, routes })
    const resumed = await run('jobs', 'resume', id)
    expect(resumed).toMatchObject({ code: 0, out: expect.stringContaining('attempt 2') })
    expect((await run('jobs', 'stop', id, '--reason', 'enough')).out).toMatch(/stopped\n.*enough/s)
    expect((await run('jobs', 'resume', id)).code).toBe(1)
  })

  it.each([
    [['replay'], /name the subscriber/],
    [['replay', 'analyze-push'], /say which events/],
    [['replay', 'analyze-push', '--event', 'p1', '--rate', '0'], /whole number/],
    [['replay', 'analyze-push', '--type', 'github.push', '--source', 'x'], /goes with --event/],
    [['rebuild'], /name the subscriber/],
    [['replay', 'pause', 'j1'], /too many arguments/],
    [['rebuild', 'stop', 'j1'], /too many arguments/],
    [['rebuild', 'track-build', '--switch', '--since', '1h', '--yes'], /--switch goes without --since/],
  ])('%j is wrong usage', async (words, said) => {
    const { code, err } = await run(...words)
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(said) })
  })

  it('says why it may not be', async () => {
    const state = await run('replay', 'track-build', '--type', 'test.completed')
    expect(state).toMatchObject({ code: 1, err: expect.stringContaining('loadpath rebuild track-build') })
    const workflow = await run('replay', 'test-and-validate', '--event', 'p1')
    expect(workflow.err).toContain('a run is started for each event')
  })
})

describe('rebuild', () => {
  it('counts, asks, lists and shows', async () => {
    const since = ['--since', '2026-01-10T12:00:00Z']
    expect((await run('rebuild', 'track-build', ...since, '--dry-run')).out).toBe(
      'No event of the history fits.\n',
    )
    const { id, selection } = JSON.parse(
      (await run('rebuild', 'track-build', '--switch', '--yes', '--json')).out,
    )
    expect(selection).toEqual({ switch: true })
    expect((await run('jobs', 'list', '--kind', 'rebuild')).out).toContain(id)
    expect((await run('rebuild', 'show', id)).out).toMatch(/at: send/)
    const other = await run('replay', 'show', id)
    expect([other.code, other.err]).toEqual([1, expect.stringContaining(`loadpath rebuild show ${id}`)])
  })

  it('says in its help that the live subscriber is paused, with --switch or without', async () => {
    expect((await run('rebuild', '--help')).out.replaceAll(/\s+/g, ' ')).toContain(
      'the live subscriber is paused while',
    )
  })
})

describe('what cannot be undone', () => {
  it.each([
    ['replay', 'analyze-push', '--event', 'p1', '--emit'],
    ['rebuild', 'track-build', '--switch'],
  ])('%s %s %s … is asked about first', async (...words) => {
    const jobs = async () => JSON.parse((await run('jobs', 'list', '--all', '--json')).out).items.length
    const before = await jobs()
    expect((await run(...words)).code).toBe(2)
    const refused = await loadpath(words, { env: here.env, agrees: async () => false })
    expect([refused.code, await jobs()]).toEqual([1, before])
    expect((await run(...words, '--yes')).code).toBe(0)
    expect(await jobs()).toBe(before + 1)
    expect((await run(...words, '--dry-run')).code).toBe(0)
  })
})
