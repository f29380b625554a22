import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { githubPush } from '../../events/github.push.ts'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { byBus, byHttp, emit, envelope, push, queued } from '../../test/arrivals.ts'
import { world } from '../../test/world.ts'
import { quarantine } from './quarantine.ts'

const cause = { source: 'https://github.com/octo/hello', id: 'push-1' }

describe('what is invalid', () => {
  const invalid = push('push-1', { data: { ...githubPush.example, ref: 'main' } })

  it('is answered over http, and nothing is kept', async () => {
    const w = world()
    expect(await w.one(byHttp(invalid))).toMatchObject({
      status: 'refused',
      reason: 'invalid',
      faults: [{ path: 'data.ref' }],
    })
    expect(w.stores.history.all()).toEqual({ events: [], deliveries: [], quarantined: [], pages: [] })
  })

  it('is quarantined on the bus, as it came, with the reason, and goes nowhere', async () => {
    const w = world()
    expect(await w.one(byBus(invalid))).toMatchObject({ status: 'quarantined', reason: 'invalid' })
    expect(w.quarantined()).toMatchObject([
      {
        reason: 'invalid',
        raw: JSON.stringify(envelope(invalid)),
        faults: [{ path: 'data.ref', got: '"main"' }],
        id: 'push-1',
      },
    ])
    expect(w.stores.queues.take('analyze')).toEqual([])
  })

  it('does not take its identity: a later valid event with it is recorded', async () => {
    const w = world()
    await w.one(byBus(invalid))
    expect(await w.one(byBus(push()))).toMatchObject({ status: 'recorded' })
  })

  it('comes twice and is one entry', async () => {
    const w = world()
    for (let count = 0; count < 3; count++) await w.one(byBus(invalid))
    expect(w.quarantined()).toHaveLength(1)
  })

  it('is tried again when it cannot be quarantined', async () => {
    const w = world()
    w.failing('history', 'quarantine')
    expect(await w.one(byBus(invalid))).toMatchObject({ status: 'unavailable' })
  })
})

describe('an event that can never be recorded', () => {
  it('over 16 hops is quarantined as a loop, for a person to look at', async () => {
    const w = world()
    expect(await w.one(queued(emit({ ...cause, hops: 16 })))).toMatchObject({
      status: 'quarantined',
      reason: 'loop',
    })
    expect(w.quarantined()).toMatchObject([{ reason: 'loop', type: 'repository.analyzed' }])
  })

  it('that is emitted without a cause is quarantined', async () => {
    const w = world()
    expect(await w.one(queued(emit(undefined)))).toMatchObject({
      status: 'quarantined',
      faults: [{ path: 'cause' }],
    })
  })

  it('that is forged on the bus is quarantined as such', async () => {
    const w = world()
    const forged = byBus(push('p', { type: 'repository.analyzed', data: repositoryAnalyzed.example }))
    expect(await w.one(forged)).toMatchObject({ status: 'quarantined', reason: 'forged' })
  })
})

describe('what is kept of it', () => {
  const entry = {
    project: 'main',
    door: 'bus',
    received: '2026-01-01T12:00:00.000Z',
    reason: 'unreadable',
    faults: [],
  } as const

  it('is the raw text, under its digest', async () => {
    const w = world()
    const digest = createHash('sha256').update('garbage').digest('hex')
    expect(await quarantine({ ...entry, raw: 'garbage' }, w.deps)).toMatchObject({
      status: 'quarantined',
      digest,
    })
    expect(await w.stores.history.getQuarantined('main', digest)).toMatchObject({ raw: 'garbage' })
  })

  it('is one entry per project', async () => {
    const w = world()
    await quarantine({ ...entry, raw: 'garbage' }, w.deps)
    await quarantine({ ...entry, project: 'shop', raw: 'garbage' }, w.deps)
    expect(w.quarantined()).toHaveLength(2)
  })

  it('over 64 KB lies in the bucket before the entry names it; sizes are bytes', async () => {
    const w = world()
    const raw = 'ä'.repeat(32_001)
    await quarantine({ ...entry, raw }, w.deps)
    expect(w.calls).toEqual(['bodies.put', 'history.quarantine'])
    const [kept] = w.quarantined()
    expect(kept).toMatchObject({ raw: '', rawref: expect.stringMatching(/^held\/main\/quarantine\//) })
    expect(String(Buffer.from((await w.stores.bodies.get(kept?.rawref ?? '')) ?? []))).toBe(raw)
    await quarantine({ ...entry, raw: 'ä'.repeat(32_000) }, w.deps)
    expect(w.quarantined().filter(({ rawref }) => rawref === undefined)).toHaveLength(1)
  })

  it.each([['bodies', 'put'] as const, ['history', 'quarantine'] as const])(
    'is not said to be kept when %s.%s fails',
    async (port, method) => {
      const w = world()
      w.failing(port, method as never)
      expect(await quarantine({ ...entry, raw: 'x'.repeat(70_000) }, w.deps)).toMatchObject({
        status: 'unavailable',
      })
      expect(w.quarantined()).toEqual([])
    },
  )
})
