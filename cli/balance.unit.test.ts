import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sweepTimeline } from '../core/sweep/sweep-timeline.ts'
import { githubPush } from '../events/github.push.ts'
import { routes } from '../events/routes.ts'
import { type Served, serve } from '../test/cli/served.ts'
import { loadpath } from '../test/cli/terminal.ts'

let here: Served
beforeEach(async () => {
  here = await serve()
})
afterEach(async () => {
  await here.close()
})

const source = 'https://github.com/octo/hello'
const run = (...words: string[]) => loadpath(['balance', ...words], { env: here.env })

async function json(code: number, ...words: string[]) {
  const said = await run(...words, '--json')
  expect({ code: said.code, err: said.err }).toEqual({ code, err: '' })
  return JSON.parse(said.out)
}

/** Recorded, and every message of it lost. */
async function lost(...ids: string[]): Promise<void> {
  const type = 'github.push'
  const data = githubPush.example
  const stdin = JSON.stringify(ids.map((id) => ({ specversion: '1.0', id, source, type, data })))
  expect(await loadpath(['events', 'put', '-'], { env: here.env, stdin })).toMatchObject({ code: 0 })
  for (const subscriber of ['analyze-push', 'test-and-validate']) here.queues.take(subscriber)
}

/** In a moment all that came so far is older than no time at all. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 5))

describe('balance', () => {
  it('is balanced where nothing is missing: young events are on their way', async () => {
    await lost('a')
    const said = await run()
    expect(said).toMatchObject({ code: 0, err: '' })
    expect(said.out).toMatch(
      /SUBSCRIBER +EXPECTED +DONE +DEAD +PARKED +RETRYING +DROPPED +IN FLIGHT +MISSING/,
    )
    expect(said.out).toMatch(/total +2 +- +- +- +- +- +2 +-/)
    expect(said.out).toContain('balanced: 2 deliveries expected, none missing')
    expect(said.out).toContain('The sweep has not run yet.')
  })

  it('says that events of commands wait in the outbox, which is before the books', async () => {
    expect((await run()).out).not.toContain('outbox')
    vi.spyOn(here.memory, 'staleOutbox').mockResolvedValue(['k', 'l'])
    expect((await run()).out).toContain('wait in the outbox for more than two minutes, for 2 keys: the sweep')
  })

  it('names what is missing, and is exit code 1', async () => {
    await lost('a')
    await aMoment()
    const said = await run('--patience', '0s')
    expect(said.code).toBe(1)
    expect(said.out).toMatch(/missing +analyze-push +github\.push +a +/)
    expect(said.out).toContain('\n2 missing\n')
    expect(said.err).toContain('--mend')
    expect(await json(1, '--patience', '0s')).toMatchObject({
      verdict: 'missing',
      sheet: { total: { expected: 2, missing: 2 }, lost: { length: 2 } },
    })
  })

  it('--mend sends it on and says each; then it is under way', async () => {
    await lost('a', 'b')
    await aMoment()
    const mended = await json(0, '--patience', '0s', '--mend')
    expect(mended.mended.map(({ id, outcome }: Record<string, string>) => `${id} ${outcome}`).sort()).toEqual(
      ['a sent', 'a sent', 'b sent', 'b sent'],
    )
    expect(here.queues.take('analyze-push')).toHaveLength(2)
    const said = await run('--patience', '0s', '--mend')
    expect(said.out).toMatch(/sent +analyze-push +a/)
    expect(said).toMatchObject({
      code: 0,
      out: expect.stringMatching(/mended: all 2 that were lost are on their way\n$/),
    })
    expect(await json(0, '--patience', '0s')).toMatchObject({
      verdict: 'balanced',
      sheet: { total: { inFlight: 4 } },
    })
  })

  it('--mend that could not mend all is exit code 1, and says how many are left', async () => {
    await lost('a')
    await aMoment()
    const { send } = here.queues
    here.queues.send = async (queue, messages) =>
      queue === 'analyze-push' ? Promise.reject(new Error('down')) : send(queue, messages)
    const said = await run('--patience', '0s', '--mend')
    expect(said).toMatchObject({
      code: 1,
      out: expect.stringMatching(/1 of 2 that were lost are on their way\n$/),
    })
  })

  it('adds up the slices', async () => {
    for (let n = 0; n < 8; n++) await lost(`p${n}`)
    // the books end where it is now, and what was written in that very millisecond is not in them
    let now = Date.now() + 1
    const { fate } = here.history
    here.history.fate = (...asked) => {
      now += 10_000
      return fate(...asked)
    }
    here.deps.now = () => new Date(now).toISOString()
    const before = here.requests.length
    const until = new Date(now).toISOString()
    expect(await json(0, '--until', until)).toMatchObject({
      sheet: { events: { recorded: 8 }, total: { expected: 16 } },
    })
    expect(here.requests.length - before).toBeGreaterThan(1)
  })

  it('tells its progress once, however often it goes on from there', async () => {
    await lost('a')
    let now = Date.now()
    // each answer takes so long that little fits into one
    here.deps.now = () => {
      now += 4000
      return new Date(now).toISOString()
    }
    const { err } = await run('--since', '15d')
    const told = err.trim().split('\n')
    expect(told[0]).toMatch(/^\d events? so far$/)
    expect(told.filter((line, at) => line === told[at - 1])).toEqual([])
  })

  it('says what the sweep did', async () => {
    await lost('a')
    const clock = () => new Date(Date.now() + 20 * 60_000).toISOString()
    const { deps } = here
    await sweepTimeline('main', { ...deps, clock, routes, random: Math.random }, 10)
    const said = await run()
    expect(said.out).toMatch(/The sweep has looked at all up to .*: 1 pass since/)
    expect(said.out).toContain('It had nothing to mend so far.')
    expect((await json(0)).sweep).toMatchObject({ passes: 1, behind: {} })
  })

  it('says of what was sent anew that it was dead, parked or let go of', async () => {
    await lost('a')
    expect((await run()).out).not.toContain('sent anew')
    const key = { project: 'main', source, id: 'a', subscriber: 'analyze-push', replay: '' }
    const times = { started: here.now(), changed: here.now() }
    await here.history.mark(key, { state: 'retrying', attempts: 2, resumed: 1, emitted: [], ...times })
    expect((await run()).out).toContain(
      '\n  1 sent anew after they had been dead or parked, or their queue had let go of them\n',
    )
  })

  it('of what cannot be read proves nothing', async () => {
    await lost('a')
    here.history.pages = async ({ hour, shard, after = '' }) => {
      const page = `${hour}:00:00.001Z~`
      return after < page ? [{ project: 'main', hour, shard, page, entries: [], unreadable: true }] : []
    }
    const said = await run('--since', '3h')
    expect([said.code, said.out]).toEqual([1, expect.stringMatching(/not proven: \d+ could not be read/)])
  })

  it('that contradict themselves is said loudly', async () => {
    const { request } = here.app
    here.app.request = async (...asked) => {
      const answer = await request(...asked)
      if (!String(asked[0]).startsWith('/v1/balance')) return answer
      const body = JSON.parse(await answer.text())
      body.sheet.total.done += 1
      return new Response(JSON.stringify(body), answer)
    }
    const said = await run()
    expect([said.code, said.out]).toEqual([1, expect.stringContaining('the books contradict themselves')])
    expect(said.out).toContain('total: expected 0, and 4 became of it')
  })

  it('of a replay that has ended, and of which something was never seen', async () => {
    await lost('a')
    const times = { started: here.now(), changed: here.now() }
    const key = { project: 'main', source, id: 'a', subscriber: 'analyze-push', replay: 'r1' }
    await here.history.mark(key, { state: 'done', attempts: 1, emitted: [], ...times })
    await aMoment()
    const value = {
      id: 'r1',
      kind: 'replay',
      subscriber: 'analyze-push',
      by: 'user:ada',
      asked: new Date(Date.now() + 1000).toISOString(),
      rate: 50,
      state: 'done',
      attempt: 1,
      batches: 1,
      request: { source: 's', id: 'i', type: 'replay.requested' },
      selection: {},
      counts: { matched: 1 },
    }
    const record = { project: 'main', kind: 'job', name: 'r1' }
    await here.memory.commit({ writes: [{ ...record, version: 1, value }], outbox: [] })
    const said = await run('--replay', 'r1')
    expect([said.code, said.out]).toEqual([0, expect.stringContaining('replay r1 to analyze-push (done)')])
    const more = { ...value, counts: { matched: 3 } }
    await here.memory.commit({ writes: [{ ...record, version: 2, value: more }], outbox: [] })
    expect(await run('--replay', 'r1')).toMatchObject({ code: 1, out: expect.stringContaining('2 missing') })
  })

  it('with a wrong time or span is wrong usage', async () => {
    expect(await run('--since', 'yesterday')).toMatchObject({ code: 2 })
    expect(await run('--patience', 'long')).toMatchObject({ code: 2 })
    expect(await run('--patience', '9d')).toMatchObject({
      code: 2,
      err: expect.stringContaining('query.patience'),
    })
  })
})
