import { beforeEach, describe, expect, it } from 'vitest'
import { githubPush } from '../../events/github.push.ts'
import { push, queued } from '../../test/arrivals.ts'
import { batchJson, doors, problem } from '../../test/doors.ts'
import { noon } from '../../test/world.ts'

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

  it('of as many as a request may have is answered one by one, and far below what a response may have', async () => {
    const worst = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`Ä${'ä'.repeat(200)}${n}`, 'x'.repeat(40)]),
    )
    const { status, body } = await w.post(
      Array(1000).fill(worst).slice(0, 200).concat(Array(800).fill({})),
      batchJson,
    )
    expect([status, body.length]).toEqual([207, 1000])
    expect(body[0]).toMatchObject({ status: 422, faults: [expect.anything()] })
    expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(1_500_000)
  })

  it('of some shows each all of its faults', async () => {
    const { body } = await post({}, push('a', { data: {}, subject: 7 }))
    expect(body[0].faults.map(({ path }: { path: string }) => path)).toEqual(
      expect.arrayContaining(['specversion', 'id', 'source', 'type']),
    )
  })

  it('of more is told to come in several, before anything is looked at', async () => {
    const { status, ...answer } = await w.post(`[${Array(100_000).fill('{}').join(',')}]`, batchJson)
    expect(status).toBe(413)
    expect(answer).toMatchObject(
      problem('TooLarge', { detail: expect.stringContaining('at most 1000 events') }),
    )
    expect(JSON.stringify(answer.body).length).toBeLessThan(1000)
    expect(w.calls).toEqual([])
  })

  it('that repeats what is recorded otherwise asks for it once per identity, side by side', async () => {
    const other = (id: string, ref: string) =>
      push(id, { data: { ...githubPush.example, ref: `refs/heads/${ref}` } })
    await post(push('a'), push('b'))
    w.stores.queues.take('analyze')
    w.calls.length = 0
    let asking = 0
    let most = 0
    w.instead('history', 'fate', (real) => async (identity) => {
      most = Math.max(most, ++asking)
      await new Promise((resolve) => setImmediate(resolve))
      asking--
      return real(identity)
    })
    const repeats = ['a', 'b'].flatMap((id) => [
      other(id, 'x'),
      push(id),
      other(id, 'x'),
      push(id),
      other(id, 'y'),
    ])
    const { body } = await post(...repeats)
    expect(body.map((answer: { status: number }) => answer.status)).toEqual(
      [1, 2].flatMap(() => [409, 202, 409, 202, 409]),
    )
    // one for the first of each identity, one for all its repeats
    expect(w.calls.filter((call) => call === 'history.fate')).toHaveLength(4)
    expect(most).toBe(2)
    expect(w.stores.queues.take('analyze')).toHaveLength(2)
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
        String(bodies[0]).includes('"b"') ? [{ index: 0, error: new Error('full') }] : real(queue, bodies),
    )
    const { status, body } = await w.post([push('a'), push('b')], batchJson)
    expect(status).toBe(207)
    expect(body).toMatchObject([{ status: 202, outcome: 'queued' }, { status: 503 }])
  })
})
