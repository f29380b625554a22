import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Served, serve } from '../test/cli/served.ts'
import { loadpath } from '../test/cli/terminal.ts'

let here: Served
beforeAll(async () => {
  here = await serve()
})
afterAll(async () => {
  await here.close()
})

const run = (...words: string[]) => here.run(words)

describe('pause and resume', () => {
  it('one subscriber: paused, paused already, listed, resumed', async () => {
    const paused = await run('pause', 'notify', '--reason', 'a move')
    expect(paused).toMatchObject({ code: 0, out: 'notify is paused.\n' })
    expect(paused.err).toContain('loadpath resume notify')
    expect((await run('pause', 'notify')).out).toMatch(/^notify was paused before, by .* at .*: a move\.\n$/)

    const list = (await run('subscribers')).out
    expect(list).toMatch(/notify +function +paused +0 +0 +0 +0 +.*: a move\n/)
    expect(list).toMatch(/publish +function +runs /)

    expect((await run('resume', 'notify')).out).toBe('notify runs again; nothing is sent.\n')
    expect((await run('resume', 'notify')).out).toBe('notify was not paused.\n')
  })

  it('says which job sends what was parked', async () => {
    await run('pause', 'notify')
    const key = { project: 'main', source: 's', id: 'p', subscriber: 'notify', replay: '' }
    const times = { started: here.now(), changed: here.now() }
    await here.history.mark(key, { state: 'parked', attempts: 1, emitted: [], ...times })
    expect(await here.json('subscribers')).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ subscriber: 'notify', open: { retrying: 0, parked: 1, dead: 0 } }),
      ]),
    })
    const resumed = await run('resume', 'notify', '--rate', '5')
    expect(resumed.out).toBe('notify runs again.\n')
    expect(resumed.err).toMatch(/What was parked is being sent: loadpath jobs show \w+/)
  })

  it('all of them', async () => {
    expect(await run('pause', 'all', '--yes')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--reason'),
    })
    expect(await run('pause', 'all', '--reason', 'a move')).toMatchObject({ code: 2 })
    const asked = await loadpath(['pause', 'all', '--reason', 'a move'], {
      env: here.env,
      agrees: async () => false,
    })
    expect(asked.code).toBe(1)
    expect((await run('subscribers')).out).not.toContain('paused')
    const { items } = await here.json('pause', 'all', '--reason', 'a move', '--yes')
    expect(items.length).toBeGreaterThan(5)
    expect((await here.json('resume', 'all')).items).toHaveLength(items.length)
  })

  it('an unknown one, one that cannot be paused, a rate that is none', async () => {
    for (const name of ['pause', 'resume', 'replay', 'rebuild']) {
      const unknown = await run(name, 'notfy', ...(name === 'replay' ? ['--event', 'e'] : []))
      expect(unknown.code, name).toBe(2)
      expect(unknown.err).toContain('there is no subscriber notfy (404)')
      expect(unknown.err).toMatch(/ubscriber: expected one of .*notify.*, got notfy/)
    }
    expect(await run('pause', 'redrive')).toMatchObject({
      code: 1,
      err: expect.stringContaining('it sends what other subscribers have parked'),
    })
    expect((await run('resume', 'notify', '--rate', 'fast')).code).toBe(2)
    expect((await run('pause')).code).toBe(2)
  })
})
