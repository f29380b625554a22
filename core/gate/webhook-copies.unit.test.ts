import { beforeEach, describe, expect, it } from 'vitest'
import { githubPush } from '../../events/github.push.ts'
import { queued } from '../../test/arrivals.ts'
import { doors, problem } from '../../test/doors.ts'
import { hours } from '../../test/world.ts'

const payload = githubPush.example

let w: ReturnType<typeof doors>
beforeEach(() => {
  w = doors()
})

describe('the same signed body under a new delivery id', () => {
  const deliver = (delivery: string, event = 'push') => w.webhook(payload, { delivery, event })
  const expects = () =>
    w.events().map(({ event, expects: names }) => [event.id, event.duplicateof, names.length])

  it('is recorded as a duplicate that nobody expects: 200', async () => {
    await deliver('d1')
    expect(await deliver('d2')).toMatchObject({
      status: 200,
      body: { outcome: 'duplicate', duplicateof: 'd1' },
    })
    expect(expects()).toEqual([
      ['d1', undefined, 2],
      ['d2', 'd1', 0],
    ])
  })

  it('and as another event, which is not signed, is a duplicate, too', async () => {
    await deliver('d1')
    expect(await deliver('d2', 'ping')).toMatchObject({ status: 200, body: { duplicateof: 'd1' } })
  })

  it('again is known, and still nobody expects it', async () => {
    await deliver('d1')
    await deliver('d2')
    expect(await deliver('d2')).toMatchObject({ body: { outcome: 'known' } })
    expect(expects()[1]).toEqual(['d2', 'd1', 0])
  })

  it.each([1, 2, 3, 4, 5])(
    'runs once though the first crashed at its call %i: what was seen and never recorded is recorded in its stead',
    async (at) => {
      w.crashAt(at, true)
      await deliver('d1')
      w.mend()
      expect(await deliver('d2')).toMatchObject({ status: 200, body: { duplicateof: 'd1' } })
      expect(await deliver('d3')).toMatchObject({ status: 200, body: { duplicateof: 'd1' } })
      expect(expects()).toEqual([
        ['d1', undefined, 2],
        ['d2', 'd1', 0],
        ['d3', 'd1', 0],
      ])
    },
  )

  it('runs once of ten that come at the same moment', async () => {
    const ids = Array.from({ length: 10 }, (_, n) => `d${n}`)
    const answers = await Promise.all(ids.map((id) => deliver(id)))
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 202])
    expect(expects().filter(([, , names]) => names !== 0)).toHaveLength(1)
    expect(expects()).toHaveLength(10)
    for (const subscriber of ['analyze', 'validate']) expect(w.stores.queues.take(subscriber)).toHaveLength(1)
  })

  it('runs once though the first is so slow that all the others are through before it', async () => {
    const others = Promise.withResolvers<void>()
    w.instead('history', 'insertEvents', (real) => async (events) => {
      const [one] = events
      if (one?.event.id === 'd0' && events.length === 1) await others.promise
      return real(events)
    })
    const slow = deliver('d0')
    const answers = await Promise.all(['d1', 'd2', 'd3'].map((id) => deliver(id)))
    others.resolve()
    expect(await slow).toMatchObject({ status: 202, body: { outcome: 'known' } })
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(expects().filter(([, , names]) => names !== 0)).toEqual([['d0', undefined, 2]])
  })

  it('runs once though history cannot be written while both come: both wait on the record queue', async () => {
    w.failing('history', 'putPage')
    await deliver('d1')
    w.failing('history', 'sourcesOf')
    expect(await deliver('d2')).toMatchObject({ status: 202, body: { outcome: 'queued' } })
    w.mend()
    for (const frame of w.stores.queues.take('record')) await w.one(queued(frame))
    expect(expects()).toEqual([
      ['d1', undefined, 2],
      ['d2', 'd1', 0],
    ])
  })

  it('is 503 when the first can be neither recorded nor kept: then nobody has it', async () => {
    w.crashAt(2, false)
    await deliver('d1')
    w.mend()
    w.failing('history', 'insertEvents')
    w.instead(
      'queues',
      'send',
      (real) => async (queue, bodies) =>
        String(bodies[0]).includes('"id":"d1"')
          ? [{ index: 0, error: new Error('full') }]
          : real(queue, bodies),
    )
    expect(await deliver('d2')).toMatchObject({ status: 503, ...problem('Unavailable') })
  })

  it('looks for the first at once, and then a few times within half a second', async () => {
    const pauses: number[] = []
    w.ingestDeps.pause = async (milliseconds) => void pauses.push(milliseconds)
    await deliver('d1')
    await deliver('d2')
    expect(pauses).toEqual([])
    w.instead('history', 'sourcesOf', () => async () => [])
    await deliver('d3')
    expect(pauses).toHaveLength(3)
    expect(pauses.reduce((sum, one) => sum + one)).toBeLessThan(530)
  })

  it('costs the first one nothing but the remembering', async () => {
    await deliver('d1')
    await deliver('d1')
    expect(w.calls.filter((call) => /putIfAbsent|sourcesOf/.test(call))).toEqual([
      'ephemeral.putIfAbsent',
      'ephemeral.putIfAbsent',
    ])
  })

  it('is remembered for a week', async () => {
    await deliver('d1')
    w.advance(6 * 24 * hours)
    expect(await deliver('d2')).toMatchObject({ status: 200 })
    w.advance(2 * 24 * hours)
    expect(await deliver('d3')).toMatchObject({ status: 202 })
  })
})
