import { beforeEach, describe, expect, it } from 'vitest'
import { githubPush } from '../events/github.push.ts'
import { push, queued } from '../test/arrivals.ts'
import { batchJson, doors, problem } from '../test/doors.ts'
import { noon } from '../test/world.ts'

let w: ReturnType<typeof doors>
beforeEach(() => {
  w = doors()
})

describe('a batch', () => {
  const post = (...events: unknown[]) => w.post(events, batchJson)

  it('is answered event by event, in order: 202 when all are new or known', async () => {
    await w.post(push('b'))
    const { status, body } = await post(push('a'), push('b'), push('c'))
    expect(status).toBe(202)
    expect(body).toMatchObject([
      { status: 202, outcome: 'recorded', id: 'a' },
      { status: 202, outcome: 'known', id: 'b' },
      { status: 202, outcome: 'recorded', id: 'c' },
    ])
  })

  it('with bad ones among good ones is 207: each has its own answer in its own place', async () => {
    const deep = JSON.parse(`${'['.repeat(1000)}${']'.repeat(1000)}`)
    const huge = push('huge', { type: 'a.b', data: 'x'.repeat(1_000_001) })
    const { status, body } = await post(
      push('a'),
      { id: 'bad' },
      huge,
      push('d', { data: deep }),
      push('b'),
      null,
    )
    expect(status).toBe(207)
    expect(body.map((answer: { status: number }) => answer.status)).toEqual([202, 422, 413, 422, 202, 422])
    expect(w.events().map(({ event }) => event.id)).toEqual(['a', 'b'])
  })

  it('with one that nests deeper than JSON can be written fails that one alone', async () => {
    const deep = `{"specversion":"1.0","id":"d","source":"s","type":"a.b","data":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    const { status, body } = await w.post(`[${JSON.stringify(push('a'))},${deep}]`, batchJson)
    expect([status, body[0].status, body[1].status]).toEqual([207, 202, 422])
  })

  it('with one id and two payloads: the first is recorded, the second a conflict', async () => {
    const { status, body } = await post(
      push('a'),
      push('a', { data: { ...githubPush.example, ref: 'refs/heads/b' } }),
      push('a'),
    )
    expect(status).toBe(207)
    expect(body).toMatchObject([{ status: 202 }, { status: 409 }, { status: 202, outcome: 'known' }])
  })

  it('with one id from two sources: two events', async () => {
    const { status } = await post(push('a'), push('a', { source: '/other' }))
    expect([status, w.events().length]).toEqual([202, 2])
  })

  it('of ten events of 190 KB is recorded, each body in the bucket', async () => {
    const events = Array.from({ length: 10 }, (_, n) =>
      push(`p${n}`, { data: { ...githubPush.example, note: 'x'.repeat(190_000) } }),
    )
    expect((await post(...events)).status).toBe(202)
    expect(w.events().every(({ event }) => event.dataref !== undefined && event.data === undefined)).toBe(
      true,
    )
  })

  it('that is empty is malformed', async () => {
    expect(await w.post('[]', batchJson)).toMatchObject({ status: 400, ...problem('Malformed') })
  })
})

describe('when history cannot be written', () => {
  it.each(['putPage', 'insertEvents'] as const)(
    '(%s) the event waits on the record queue: 202 queued',
    async (method) => {
      w.failing('history', method)
      expect(await w.post(push())).toMatchObject({
        status: 202,
        body: { outcome: 'queued', project: 'main' },
      })
      w.mend()
      w.advance(60_000)
      const [frame = ''] = w.stores.queues.take('record')
      expect(await w.one(queued(frame))).toMatchObject({
        status: 'recorded',
        event: { actor: 'user:k1', received: noon },
      })
    },
  )

  it('and the queue neither, 503: its sender keeps it', async () => {
    w.failing('history', 'insertEvents')
    w.failing('queues', 'send')
    expect(await w.post(push())).toMatchObject({ status: 503, ...problem('Unavailable') })
  })

  it('and the queue takes some of a batch: 207 tells which', async () => {
    w.failing('history', 'insertEvents')
    w.instead(
      'queues',
      'send',
      (real) => async (queue, bodies) =>
        bodies[0]?.includes('"b"') ? [{ index: 0, error: new Error('full') }] : real(queue, bodies),
    )
    const { status, body } = await w.post([push('a'), push('b')], batchJson)
    expect(status).toBe(207)
    expect(body).toMatchObject([{ status: 202, outcome: 'queued' }, { status: 503 }])
  })
})
