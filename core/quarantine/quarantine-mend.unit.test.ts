// Longer than 300 lines: each door with what may and may not be made of its texts, over one world.

import { beforeEach, describe, expect, it } from 'vitest'
import { githubPush } from '../../events/github.push.ts'
import { quarantineReleased } from '../../events/quarantine.released.ts'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { byBus, byHttp, emit, envelope, push, queued, runInput, status, told } from '../../test/arrivals.ts'
import { relayAll } from '../../test/sweeping.ts'
import { minutes, noon, routeOf, type World, world } from '../../test/world.ts'
import { settleLetter } from '../consume/dead-letter.ts'
import type { Arrival } from '../event/arrival.ts'
import { redriveQuarantine } from './quarantine-list.ts'
import { dropQuarantined, type Edit, releaseQuarantined, tryQuarantined } from './quarantine-mend.ts'
import { settledList, settledOf } from './quarantine-settle.ts'

let w: World
beforeEach(() => {
  w = world()
})

const by = 'user:ada'
const bad = { ...githubPush.example, ref: 'main' }
const invalid = push('push-1', { data: bad })

/** Quarantines it; answers its digest. */
async function kept(arrival: Arrival): Promise<string> {
  const outcome = await w.one(arrival)
  if (outcome.status !== 'quarantined') throw new Error(`it is ${outcome.status}`)
  return outcome.digest
}

const release = (digest: string, edit?: Edit, who = by) =>
  releaseQuarantined('main', digest, who, w.deps, edit)
const entryOf = (digest: string) => w.stores.history.getQuarantined('main', digest)
const audits = async () => {
  await relayAll(w)
  return w.events().flatMap(({ event }) => (event.type.startsWith('quarantine.') ? [event] : []))
}
/** What each recorded event says of its release. */
const released = () => w.events().map(({ event }) => event.released)
const cutOff = async () => {
  throw new Error('cut off')
}
/** The schema is mended: what was refused fits now. */
const fits = (digest: string) => release(digest, { data: githubPush.example })

describe('sent through the gate again as it came', () => {
  it('and still refused it stays, with the same faults', async () => {
    const digest = await kept(byBus(invalid))
    const before = await entryOf(digest)
    expect(await release(digest)).toMatchObject({
      outcome: 'refused',
      reason: 'invalid',
      faults: before?.faults,
    })
    expect(await entryOf(digest)).toEqual(before)
    expect([w.events(), await audits()]).toEqual([[], []])
  })

  it('and admitted by what the gate is now, it is recorded by its own door, expects all, and is settled', async () => {
    const letter = envelope(push('p'), { account: '999988887777' })
    w.failing('history', 'insertEvents', new Error('item too large'))
    await settleLetter({ queue: 'record', rule: undefined, body: JSON.stringify(letter) }, w.deps)
    w.mend()
    const [entry] = w.quarantined()
    w.advance(minutes)
    const now = w.clock()
    const done = await release(entry?.digest ?? '')
    expect(done).toMatchObject({ outcome: 'recorded', event: { id: 'p', type: 'github.push' } })
    expect(w.events()).toMatchObject([
      {
        event: { id: 'p', door: 'bus', actor: 'service:aws/999988887777', received: now },
        expects: ['analyze', 'validate'],
      },
    ])
    expect(released()).toEqual([{ digest: entry?.digest, by, at: now }])
    expect([w.stores.queues.take('analyze').length, w.stores.queues.take('validate').length]).toEqual([1, 1])
    expect(await entryOf(entry?.digest ?? '')).toMatchObject({
      settled: { state: 'recorded', by, at: now, note: 'https://github.com/octo/hello p' },
    })
    expect((await w.stores.history.quarantined({ project: 'main', limit: 10 })).items).toEqual([])
  })

  it.each([
    ['an emit', emit({ source: 's', id: 'p' }), { door: 'emit', actor: 'service:analyze' }],
    ['a change that was told', told(), { door: 'outbox', actor: 'user:k1', sequence: 3 }],
    ['a status', status(), { door: 'states', actor: 'system' }],
    [
      'an event of the API',
      { door: 'http', project: 'main', actor: 'user:k9', received: noon, event: push('api') },
      { door: 'http', actor: 'user:k9' },
    ],
  ])('as %s from the record queue, after newer code had been needed', async (_, frame, event) => {
    w.failing('history', 'insertEvents')
    await settleLetter({ queue: 'record', rule: undefined, body: JSON.stringify(frame) }, w.deps)
    w.mend()
    const [entry] = w.quarantined()
    expect(entry?.door).toBe(event.door === 'http' ? 'bus' : event.door)
    expect(await release(entry?.digest ?? '')).toMatchObject({ outcome: 'recorded' })
    expect(w.events()).toMatchObject([{ event }])
  })

  it('of a webhook it is GitHub’s, whatever it looks like', async () => {
    const frame = told()
    const raw = JSON.stringify(frame)
    const content = { kind: 'unreadable', faults: [] } as const
    const digest = await kept(byHttp(frame, { raw, content, ifInvalid: 'quarantine' }))
    expect(await release(digest)).toMatchObject({ outcome: 'refused', reason: 'invalid' })
    expect(w.events()).toEqual([])
    const webhook = byHttp(push('hook', { data: bad }), { ifInvalid: 'quarantine', actor: 'service:github' })
    const mended = await release(await kept(webhook), { data: githubPush.example })
    expect(mended).toMatchObject({ outcome: 'recorded' })
    expect(w.events()).toMatchObject([{ event: { id: 'hook', door: 'http', actor: 'service:github' } }])
  })

  it.each([
    ['a change that was told', told({}, { project: 'shop' })],
    ['the status of a run', status({ input: JSON.stringify(runInput('shop')) })],
  ])('of another project it cannot be released from here: %s', async (_, frame) => {
    w.failing('history', 'insertEvents')
    await settleLetter({ queue: 'record', rule: undefined, body: JSON.stringify(frame) }, w.deps)
    w.mend()
    const [entry] = w.quarantined()
    expect(entry?.project).toBe('shop')
    await expect(release(entry?.digest ?? '')).rejects.toThrow('nothing in quarantine')
    expect(await releaseQuarantined('shop', entry?.digest ?? '', by, w.deps)).toMatchObject({
      outcome: 'recorded',
    })
  })

  it('that is no entry is said so', async () => {
    await expect(release('0'.repeat(64))).rejects.toMatchObject({ code: 'NotFound' })
  })

  it('that lay in the bucket comes from there', async () => {
    const data = { ...bad, padding: 'x'.repeat(70_000) }
    const digest = await kept(byBus(push('large', { data })))
    expect((await entryOf(digest))?.rawref).toBeDefined()
    expect(await release(digest)).toMatchObject({ outcome: 'refused', faults: [{ path: 'data.ref' }] })
    expect(await fits(digest)).toMatchObject({ outcome: 'recorded' })
    for (const { key } of [{ key: (await entryOf(digest))?.rawref ?? '' }])
      w.instead('bodies', 'get', () => async () => (key === '' ? new Uint8Array() : undefined))
    const gone = await kept(byBus(push('gone', { data })))
    await expect(release(gone)).rejects.toThrow('in the bucket')
  })
})

describe('edited', () => {
  it('it goes by the same door, and what was changed is told with who changed it', async () => {
    const digest = await kept(byBus(invalid))
    expect(await fits(digest)).toMatchObject({ outcome: 'recorded', event: { id: 'push-1' } })
    expect(w.events()).toMatchObject([{ event: { door: 'bus', data: githubPush.example } }])
    expect(released()).toEqual([{ digest, by, at: noon, edited: true }])
    const [audit] = await audits()
    expect(audit).toMatchObject({
      type: 'quarantine.released',
      actor: by,
      partitionkey: `quarantine/${digest}`,
    })
    expect(quarantineReleased.schema.parse(audit?.data)).toEqual({
      digest,
      reason: 'invalid',
      recorded: { source: 'https://github.com/octo/hello', id: 'push-1', type: 'github.push' },
      changes: [{ path: '/detail/data/ref', before: 'main', after: githubPush.example.ref }],
    })
  })

  it('and still not right, it stays, with what is wrong now', async () => {
    const digest = await kept(byBus(invalid))
    expect(await release(digest, { data: 7 })).toMatchObject({ outcome: 'refused', faults: [{ got: '7' }] })
    expect((await entryOf(digest))?.settled).toBeUndefined()
  })

  it('to what came otherwise meanwhile: that stays the sender’s own, whoever releases it', async () => {
    const digest = await kept(byBus(invalid))
    await w.one(byBus(push('push-1')))
    expect(await fits(digest)).toMatchObject({ outcome: 'known' })
    expect(released()).toEqual([undefined])
  })

  it('without a change it is as it came, and what the sender sends after that is known', async () => {
    const digest = await kept(queued(envelope(push('v', { data: bad }))))
    w.advance(minutes)
    await fits(digest)
    expect(await w.one(byBus(push('v')))).toMatchObject({ status: 'known' })
    const letter = JSON.stringify(envelope(push('p')))
    w.failing('history', 'insertEvents', new Error('item too large'))
    await settleLetter({ queue: 'record', rule: undefined, body: letter }, w.deps)
    w.mend()
    const [waiting] = w.quarantined().filter(({ settled }) => settled === undefined)
    await release(waiting?.digest ?? '', { text: letter })
    expect(released()).toEqual([
      { digest, by, at: w.clock(), edited: true },
      { digest: waiting?.digest, by, at: w.clock() },
    ])
  })

  it('as a whole text, its id too', async () => {
    await w.one(byBus(push('push-1')))
    const digest = await kept(
      byBus(push('push-1', { data: { ...githubPush.example, after: 'f'.repeat(40) } })),
    )
    expect((await entryOf(digest))?.reason).toBe('conflict')
    expect(await release(digest)).toMatchObject({ outcome: 'refused', reason: 'conflict' })
    const text = (await entryOf(digest))?.raw.replace('"push-1"', '"push-2"') ?? ''
    expect(await release(digest, { text })).toMatchObject({ outcome: 'recorded', event: { id: 'push-2' } })
  })

  it('data of an event that is wrapped, and of one of ours', async () => {
    const wrapped = await kept(queued(envelope('no push', { 'detail-type': 'github.push' })))
    expect(await fits(wrapped)).toMatchObject({ outcome: 'recorded', event: { id: 'eb-1' } })
    const emitted = await kept(queued(emit({ source: 's', id: 'p' }, { data: { nonsense: true } })))
    expect(await release(emitted, { data: repositoryAnalyzed.example })).toMatchObject({
      outcome: 'recorded',
      event: { source: '/loadpath/analyze', type: 'repository.analyzed' },
    })
  })

  it.each([
    ['a type of ours', { type: 'repository.analyzed', data: repositoryAnalyzed.example }],
    ['a source of ours', { source: '/loadpath/analyze' }],
  ])('an outsider’s stays one: %s is forged', async (_, given) => {
    const digest = await kept(byBus(invalid))
    const text = JSON.stringify(envelope(push('push-1', given)))
    expect(await release(digest, { text })).toMatchObject({ outcome: 'refused', reason: 'forged' })
    expect(w.events()).toEqual([])
  })

  it.each([
    ['an envelope to a frame of ours', byBus(invalid), JSON.stringify(told())],
    ['whose account it came from', byBus(invalid), JSON.stringify(envelope(push(), { account: '1' }))],
    ['a webhook to an envelope', byHttp(invalid, { ifInvalid: 'quarantine' }), JSON.stringify(told())],
    ['who changed it', queued(told({ data: 1 })), JSON.stringify(told({}, { actor: 'user:root' }))],
    ['which project it is of', queued(told({ data: 1 })), JSON.stringify(told({}, { project: 'shop' }))],
    [
      'what caused it',
      queued(emit({ source: 's', id: 'p' }, { data: 1 })),
      JSON.stringify(emit({ source: 's', id: 'q' })),
    ],
    [
      'its place among what was emitted',
      queued(emit({ source: 's', id: 'p' }, { data: 1 })),
      JSON.stringify(emit({ source: 's', id: 'p' }, { step: 1 })),
    ],
    [
      'that it is meant anew',
      queued(emit({ source: 's', id: 'p' }, { data: 1 })),
      JSON.stringify(emit({ source: 's', id: 'p' }, {}, { again: 'x' })),
    ],
    ['an event to garbage', byBus(invalid), '{'],
  ])('cannot be: %s', async (_, arrival, text) => {
    const digest = await kept(arrival)
    const done = await release(digest, { text }).catch((error: unknown) => error)
    if (done instanceof Error)
      expect(done).toMatchObject({ code: 'Invalid', faults: [{ path: expect.any(String) }] })
    else expect(done).toMatchObject({ outcome: 'refused' })
    expect(w.events()).toEqual([])
    expect((await entryOf(digest))?.settled).toBeUndefined()
  })

  it('garbage becomes an event from outside, from whoever writes it, and never one of ours', async () => {
    const digest = await kept(queued('{{{'))
    expect(await release(digest)).toMatchObject({ outcome: 'refused', reason: 'unreadable' })
    await expect(release(digest, { data: {} })).rejects.toMatchObject({ code: 'Invalid' })
    await expect(release(digest, { text: 'still none' })).rejects.toMatchObject({
      faults: [{ path: '(whole)' }],
    })
    expect(await release(digest, { text: JSON.stringify(told()) })).toMatchObject({ outcome: 'refused' })
    const forged = push('f', { type: 'repository.analyzed', data: repositoryAnalyzed.example })
    expect(await release(digest, { text: JSON.stringify(forged) })).toMatchObject({ reason: 'forged' })
    expect(await release(digest, { text: JSON.stringify(push('mine')) })).toMatchObject({
      outcome: 'recorded',
    })
    expect(w.events()).toMatchObject([{ event: { id: 'mine', door: 'bus', actor: by, project: 'main' } }])
    expect(released()).toEqual([{ digest, by, at: noon, edited: true }])
  })
})

describe('settled', () => {
  it('once: the second time it says who did it, and nothing more is done', async () => {
    const digest = await kept(byBus(invalid))
    await fits(digest)
    w.advance(minutes)
    const again = await release(digest, { data: githubPush.example }, 'user:bob')
    expect(again).toMatchObject({ outcome: 'already', settled: { state: 'recorded', by, at: noon } })
    expect(await audits()).toHaveLength(1)
    expect(await dropQuarantined('main', digest, 'user:bob', 'late', w.deps)).toMatchObject({
      outcome: 'already',
    })
  })

  it('otherwise than by this edit: a conflict, which says by whom it was', async () => {
    const digest = await kept(byBus(invalid))
    const other = { ...githubPush.example, ref: 'refs/heads/other' }
    const both = await Promise.allSettled([
      release(digest, { data: githubPush.example }, 'user:ada'),
      release(digest, { data: other }, 'user:bob'),
    ])
    const taken = both.flatMap((one) => (one.status === 'fulfilled' ? one.value.outcome : []))
    expect(taken.filter((outcome) => outcome !== 'refused')).toEqual(['recorded'])
    const late = {
      code: 'Conflict',
      message: expect.stringMatching(/not applied: it was recorded before by user:/),
    }
    const third = { data: { ...githubPush.example, ref: 'refs/heads/third' } }
    await expect(release(digest, third)).rejects.toMatchObject(late)
    await expect(tryQuarantined('main', digest, by, w.deps, third)).rejects.toMatchObject(late)
    expect(w.events()).toHaveLength(1)
  })

  it('by one of two at once: one event, one audit, and the entry says the same', async () => {
    const digest = await kept(byBus(invalid))
    const both = await Promise.all(
      ['user:ada', 'user:bob'].map((who) => release(digest, { data: githubPush.example }, who)),
    )
    expect(both.map(({ outcome }) => outcome).sort()).toEqual([
      expect.stringMatching(/^already$/),
      expect.stringMatching(/recorded|known/),
    ])
    expect(w.events()).toHaveLength(1)
    const [audit, ...more] = await audits()
    expect(more).toEqual([])
    expect((await entryOf(digest))?.settled?.by).toBe(audit?.actor)
  })

  it('whatever was cut off: repeated, it is recorded once, told once, and settled', async () => {
    const calls = await (async () => {
      const digest = await kept(byBus(invalid))
      const before = w.calls.length
      await fits(digest)
      return w.calls.length - before
    })()
    for (const withEffect of [false, true])
      for (let at = 1; at <= calls; at++) {
        w = world()
        const digest = await kept(byBus(invalid))
        w.crashAt(at, withEffect)
        await fits(digest).catch(() => undefined)
        w.mend()
        const again = await fits(digest)
        expect(['recorded', 'known', 'already']).toContain(again.outcome)
        expect(w.events()).toHaveLength(1)
        expect(await entryOf(digest)).toMatchObject({ settled: { state: 'recorded', by } })
        expect(await audits()).toHaveLength(1)
      }
  })

  it.each(['recorded', 'dropped'] as const)(
    '%s, and cut off before the entry says so: whoever comes next finds what is written of it, and does nothing else',
    async (state) => {
      const digest = await kept(byBus(invalid))
      const failing = { ...w.deps, history: { ...w.deps.history, settleQuarantined: cutOff } }
      const first =
        state === 'dropped'
          ? dropQuarantined('main', digest, by, 'garbage', failing)
          : releaseQuarantined('main', digest, by, failing, { data: githubPush.example })
      await expect(first).rejects.toThrow('cut off')
      const events = w.events()
      expect(await entryOf(digest)).not.toHaveProperty('settled')
      const settled = { state, by }
      expect(await tryQuarantined('main', digest, by, w.deps)).toMatchObject({ outcome: 'already', settled })
      expect(await entryOf(digest)).not.toHaveProperty('settled')
      expect(await release(digest)).toMatchObject({ outcome: 'already', settled })
      expect(await entryOf(digest)).toMatchObject({ settled })
      expect(w.events()).toEqual(events)
      expect(await audits()).toHaveLength(1)
    },
  )

  it('dropped, with why, and told', async () => {
    const digest = await kept(byBus(invalid))
    expect(await dropQuarantined('main', digest, by, 'a test', w.deps)).toMatchObject({
      outcome: 'dropped',
      settled: { state: 'dropped', by, note: 'a test' },
    })
    expect(await audits()).toMatchObject([
      { type: 'quarantine.dropped', actor: by, data: { digest, note: 'a test' } },
    ])
    expect(await release(digest)).toMatchObject({ outcome: 'already', settled: { state: 'dropped' } })
    await expect(fits(digest)).rejects.toMatchObject({ code: 'Conflict' })
    expect(w.events()).toHaveLength(1)
  })

  it('dropped while it went through the gate: both are told, and the drop stands', async () => {
    const digest = await kept(byBus(invalid))
    w.instead('history', 'insertEvents', (real) => async (events) => {
      await dropQuarantined('main', digest, 'user:bob', 'no', w.deps)
      return real(events)
    })
    expect(await fits(digest)).toMatchObject({
      outcome: 'already',
      event: { id: 'push-1' },
      settled: { state: 'dropped', by: 'user:bob' },
    })
    w.mend()
    expect((await audits()).map(({ type, actor }) => [type, actor])).toEqual([
      ['quarantine.dropped', 'user:bob'],
      ['quarantine.released', by],
    ])
  })

  it('the same text may come again, and be settled again, and both are told', async () => {
    const digest = await kept(byBus(invalid))
    await dropQuarantined('main', digest, by, 'first', w.deps)
    w.advance(minutes)
    const again = queued(envelope(invalid))
    expect(await kept({ ...again, received: w.clock() })).toBe(digest)
    expect(await dropQuarantined('main', digest, by, 'second', w.deps)).toMatchObject({ outcome: 'dropped' })
    expect(await audits()).toMatchObject([{ data: { note: 'first' } }, { data: { note: 'second' } }])
    const { items } = await w.stores.memory.list({ project: 'main', list: settledList, limit: 10 })
    expect(items.map((item) => settledOf(item).settled.note)).toEqual(['second', 'first'])
  })
})

describe('what would come of it', () => {
  it('is what comes of it, and nothing is written', async () => {
    await w.one(byBus(push('taken')))
    const digest = await kept(byBus(invalid))
    const taken = await kept(byBus(push('taken', { data: bad })))
    const before = w.stores.history.all()
    const ask = (which: string, edit?: Edit) => tryQuarantined('main', which, by, w.deps, edit)
    expect(await ask(digest)).toMatchObject({
      outcome: 'refused',
      reason: 'invalid',
      faults: [{ path: 'data.ref' }],
    })
    expect(await ask(digest, { data: githubPush.example })).toMatchObject({ outcome: 'recorded' })
    expect(await ask(taken, { data: githubPush.example })).toMatchObject({ outcome: 'known' })
    const other = { ...githubPush.example, after: 'f'.repeat(40) }
    expect(await ask(taken, { data: other })).toMatchObject({ outcome: 'refused', reason: 'conflict' })
    expect(w.stores.history.all()).toEqual(before)
    expect(w.stores.memory.all()).toEqual({ records: [], outbox: [] })
  })
})

describe('when something fails', () => {
  it('the gate: it stays, and says so', async () => {
    const digest = await kept(byBus(invalid))
    w.failing('history', 'insertEvents')
    expect(await fits(digest)).toMatchObject({ outcome: 'failed', reason: 'Error: down' })
    w.mend()
    expect(await fits(digest)).toMatchObject({ outcome: 'recorded' })
  })

  it('the queues: recorded is recorded, and the sweep sends it', async () => {
    const digest = await kept(byBus(invalid))
    w.failing('queues', 'send')
    expect(await fits(digest)).toMatchObject({ outcome: 'recorded' })
  })

  it('one of many: the others go on', async () => {
    w.deps.routes = [routeOf('analyze')]
    const letters = Array.from({ length: 7 }, (_, n) => push(`p${n}`))
    w.failing('history', 'insertEvents')
    for (const letter of letters)
      await settleLetter({ queue: 'record', rule: undefined, body: JSON.stringify(envelope(letter)) }, w.deps)
    w.mend()
    w.instead('history', 'getQuarantined', (real) => async (project, digest) => {
      const entry = await real(project, digest)
      if (entry?.raw.includes('p3')) throw new Error('down')
      return entry
    })
    const at = { cursor: undefined, limit: 100, seconds: 10, dry: false }
    const { items, next } = await redriveQuarantine('main', {}, at, by, w.deps)
    expect(next).toBeUndefined()
    expect(items.map(({ outcome }) => outcome).sort()).toEqual(['failed', ...Array(6).fill('recorded')])
  })
})
