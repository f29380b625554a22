import { describe, expect, it } from 'vitest'
import { event, ports, stored } from '../../test/fates.ts'
import { type TraceNode, trace } from './trace.ts'

const done = { replay: '', state: 'done', attempts: 1, started: 't', changed: 't', emitted: [] } as const
const at = (second: number) => `2026-01-01T12:00:${String(second).padStart(2, '0')}.000Z`

const push = stored(event('push', { source: 'gh', received: at(0) }), {
  expects: ['analyze-push', 'test-and-validate'],
  deliveries: [
    { subscriber: 'analyze-push', ...done, emitted: ['a1', 'lost'] },
    { subscriber: 'test-and-validate', ...done },
  ],
})
const analyzed = stored(
  event('a1', {
    source: '/loadpath/analyze-push',
    correlationid: 'push',
    received: at(1),
    cause: { source: 'gh', id: 'push', by: 'analyze-push' },
  }),
  { expects: ['publish'] },
)
const started = stored(
  event('w1', {
    source: '/loadpath/step-functions',
    correlationid: 'push',
    received: at(2),
    cause: { source: 'gh', id: 'push', by: 'test-and-validate' },
  }),
)
const decided = stored(
  event('d1', {
    source: '/loadpath/api/approvals/1',
    correlationid: 'push',
    received: at(3),
    cause: { source: 'gh', id: 'push', by: 'api/approvals/1' },
  }),
)
const story = [push, analyzed, started, decided]

/** event ids with, in brackets, what came of each delivery, and in braces what else it caused */
const drawn = (nodes: readonly TraceNode[]): string =>
  nodes
    .map(({ event: { id }, deliveries, caused }) => {
      const below = deliveries
        .map((d) => `${d.subscriber}:${d.state}${d.emitted.length > 0 ? `>${drawn(d.emitted)}` : ''}`)
        .join(' ')
      return `${id}[${below}]${caused.length > 0 ? `{${drawn(caused)}}` : ''}`
    })
    .join(' ')

const ask = { project: 'main', limit: 100 }

describe('trace', () => {
  const whole = 'push[analyze-push:done>a1[publish:waiting] test-and-validate:done>w1[]]{d1[]}'

  it.each(['push', 'a1', 'd1'])('is the same tree from %s', async (key) => {
    const told = await trace(ports(story), { ...ask, key })
    expect(drawn(told.roots)).toBe(whole)
    expect(told).toMatchObject({ story: 'push', events: 4, next: undefined })
  })

  it('names what a delivery emitted and nobody recorded', async () => {
    const told = await trace(ports(story), { ...ask, key: 'push' })
    expect(told.roots[0]?.deliveries.map(({ unseen }) => unseen)).toEqual([['lost'], []])
  })

  it('counts an emission once, where a replay has handled the event again', async () => {
    const live = { subscriber: 'analyze-push', ...done, emitted: ['a1'] }
    const again = stored(push.stored.event, { deliveries: [live, { ...live, replay: 'r1' }] })
    const told = await trace(ports([again, analyzed]), { ...ask, key: 'push' })
    expect(drawn(told.roots)).toBe('push[analyze-push:done>a1[publish:waiting] analyze-push:done]')
  })

  it('goes by a story id that is no event', async () => {
    const one = stored(event('1', { correlationid: 'issue/7', received: at(1) }))
    const other = stored(event('2', { correlationid: 'issue/7', received: at(0) }))
    const told = await trace(ports([one, other]), { ...ask, key: 'issue/7' })
    expect(drawn(told.roots)).toBe('2[] 1[]')
  })

  it('follows what outsiders claim, and stands circles', async () => {
    const chain = ['1', '2', '3'].map((id, n) =>
      stored(
        event(id, {
          correlationid: 's',
          received: at(n),
          causationid: id === '1' ? '3' : String(Number(id) - 1),
        }),
      ),
    )
    const told = await trace(ports(chain), { ...ask, key: 's' })
    expect(drawn(told.roots)).toBe('1[]{2[]{3[]}}')
    const by = (source: string, id: string) => ({ cause: { source, id, by: 'b' } })
    const delivered = { deliveries: [{ subscriber: 'b', ...done }] }
    const forged = [
      stored(event('1', { correlationid: 's', received: at(0), ...by('s', '2') }), delivered),
      stored(event('2', { correlationid: 's', received: at(1), ...by('s', '1') }), delivered),
    ]
    expect(drawn((await trace(ports(forged), { ...ask, key: 's' })).roots)).toBe('1[b:done>2[b:done]]')
    const self = stored(event('x', { causationid: 'x' }))
    expect(drawn((await trace(ports([self]), { ...ask, key: 'x' })).roots)).toBe('x[]')
  })

  it('pages a long story: every event once, and says that there is more', async () => {
    const many = [
      push,
      ...Array.from({ length: 7 }, (_, n) => stored(event(`e${n}`, { correlationid: 'push' }))),
    ]
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const told = await trace(ports(many), { ...ask, key: 'push', limit: 3, cursor })
      seen.push(...told.roots.map((root) => root.event.id))
      cursor = told.next
    } while (cursor !== undefined)
    expect(seen.toSorted()).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'e6', 'push'])
  })

  it('lays what a replay emitted below that replay, and each event once', async () => {
    const live = { subscriber: 'analyze-push', ...done, emitted: ['a1'] }
    const deliveries = [live, { ...live, replay: 'r1', emitted: ['a2'] }, { ...live, replay: 'r2' }]
    const of = push.stored.event
    const again = stored({ ...analyzed.stored.event, id: 'a2' })
    const told = await trace(ports([stored(of, { deliveries }), analyzed, again]), { ...ask, key: 'push' })
    const [root] = told.roots
    expect(
      root?.deliveries.map(({ replay, emitted, unseen }) => [
        replay,
        emitted.map(({ event: { id } }) => id),
        unseen,
      ]),
    ).toEqual([
      ['', ['a1'], []],
      ['r1', ['a2'], []],
      ['r2', [], []],
    ])
    expect(root?.caused).toEqual([])
  })

  it('lays what a run of a replay told and emitted below that replay, whichever of the two emitted first', async () => {
    const by = { source: 'gh', id: 'push', by: 'test-and-validate' }
    const of = (id: string, second: number, replay?: string) =>
      stored(
        event(id, {
          correlationid: 'push',
          received: at(second),
          cause: { ...by, ...(replay && { replay }) },
        }),
      )
    const live = { subscriber: 'test-and-validate', ...done }
    const deliveries = [live, { ...live, replay: 'r1' }]
    const known = [
      stored(push.stored.event, { deliveries }),
      of('w1', 1),
      of('w2', 2, 'r1'),
      of('g1', 3, 'r1'),
    ]
    const { roots } = await trace(ports(known), { ...ask, key: 'push' })
    const below = ({ replay, emitted }: TraceNode['deliveries'][number]) => [
      replay,
      emitted.map(({ event: { id } }) => id),
    ]
    expect(roots[0]?.deliveries.map(below)).toEqual([
      ['', ['w1']],
      ['r1', ['w2', 'g1']],
    ])
    const lost = [stored(push.stored.event, { deliveries: [live] }), of('w2', 2, 'r2')]
    const [root] = (await trace(ports(lost), { ...ask, key: 'push' })).roots
    expect([root?.deliveries.map(below), root && drawn(root.caused)]).toEqual([[['', []]], 'w2[]'])
  })

  it('asks for the source when the id stands for events of two stories', async () => {
    const two = [
      stored(event('1', { source: 'a', correlationid: 'x' })),
      stored(event('1', { source: 'b', correlationid: 'y' })),
    ]
    await expect(trace(ports(two), { ...ask, key: '1' })).rejects.toMatchObject({ code: 'Conflict' })
    expect(await trace(ports(two), { ...ask, key: '1', source: 'b' })).toMatchObject({ story: 'y' })
  })

  it('finds nothing for another project', async () => {
    await expect(trace(ports(story), { ...ask, project: 'other', key: 'push' })).rejects.toMatchObject({
      code: 'NotFound',
    })
  })
})
