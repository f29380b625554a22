// Longer than 300 lines: everything that a lane promises, one contract for both adapters.
import { describe, expect, test } from 'vitest'
import type { LaneKey, Lanes, Waiting } from '../../core/lane/lane.ts'
import type { Delivery } from '../../core/ports.ts'
import type { HistoryFixture } from './history.ts'
import { allPages, delivery, freshProject, minute, sample } from './samples.ts'

export type LanesFixture = HistoryFixture & { lanes: Lanes }

const newLane = (more: Partial<LaneKey> = {}): LaneKey => ({
  project: freshProject(),
  subscriber: 'track-repository',
  partitionkey: 'repository/octo#hello ü',
  replay: '',
  ...more,
})

const dead = (more: Partial<Delivery> = {}) =>
  delivery({ state: 'dead', reason: 'no', changed: minute(5), ...more })
const parked = (more: Partial<Delivery> = {}) =>
  delivery({ state: 'parked', reason: 'behind', changed: minute(6), ...more })

/** The delivery of this lane with this sequence. */
const at = (lane: LaneKey, sequence: number, id = `e${sequence}`): Waiting => {
  const { project, subscriber, replay } = lane
  return { key: { project, source: '/loadpath/x#y', id, subscriber, replay }, sequence }
}

/** What every Lanes promises. */
export function lanesContract(make: () => LanesFixture): void {
  describe('a lane', () => {
    test('is closed by what is dead, until it is opened', async () => {
      const { lanes, history } = make()
      const lane = newLane()
      const first = at(lane, 1)
      expect(await lanes.lane(lane)).toBeUndefined()
      expect(await lanes.wait(lane, { ...first, delivery: dead() }, 'closing')).toBe('waits')
      const closed = await lanes.lane(lane)
      expect(closed).toEqual({ version: expect.any(Number), reason: 'no', since: minute(5) })
      expect(await history.getDeliveries([first.key])).toEqual([dead()])
      expect(await lanes.waiting(lane, 10)).toEqual([first])
      await lanes.leave(lane, first)
      await lanes.leave(lane, first)
      expect(await lanes.waiting(lane, 10)).toEqual([])
      expect(await lanes.open(lane, closed?.version ?? 0)).toBe(true)
      expect(await lanes.lane(lane)).toBeUndefined()
      expect(await lanes.open(lane, closed?.version ?? 0)).toBe(false)
    })

    test('has what comes later wait behind that, and nothing while it is open', async () => {
      const { lanes, history } = make()
      const lane = newLane()
      const [one, two] = [at(lane, 1), at(lane, 2)]
      expect(await lanes.wait(lane, { ...two, delivery: parked() }, 'behind')).toBe('open')
      expect(await history.getDeliveries([two.key])).toEqual([undefined])
      expect(await lanes.waiting(lane, 10)).toEqual([])
      expect(await lanes.lane(lane)).toBeUndefined()
      await lanes.wait(lane, { ...one, delivery: dead() }, 'closing')
      expect(await lanes.wait(lane, { ...two, delivery: parked() }, 'behind')).toBe('waits')
      expect(await history.getDeliveries([two.key])).toEqual([parked()])
      expect(await lanes.lane(lane)).toMatchObject({ reason: 'no', since: minute(5) })
      expect(await lanes.waiting(lane, 10)).toEqual([one, two])
    })

    test('keeps what waits in its sequence, as a number, and each once', async () => {
      const { lanes } = make()
      const lane = newLane()
      const coming = [100, 9, 10, 1_000_000_000, 2, 10, 0]
      for (const sequence of coming)
        await lanes.wait(lane, { ...at(lane, sequence), delivery: dead() }, 'closing')
      const found = await lanes.waiting(lane, 10)
      expect(found).toEqual([0, 2, 9, 10, 100, 1_000_000_000].map((sequence) => at(lane, sequence)))
      expect(await lanes.waiting(lane, 2)).toEqual([at(lane, 0), at(lane, 2)])
    })

    test('tells deliveries of one sequence apart, by source and id', async () => {
      const { lanes } = make()
      const lane = newLane()
      const both = [at(lane, 1, 'a#b'), at(lane, 1, 'b')]
      for (const one of both) await lanes.wait(lane, { ...one, delivery: dead() }, 'closing')
      expect(new Set(await lanes.waiting(lane, 9))).toEqual(new Set(both))
      for (const one of both.slice(0, 1)) await lanes.leave(lane, one)
      expect(await lanes.waiting(lane, 9)).toEqual(both.slice(1))
    })

    test('is one of its own per project, subscriber, partition key and replay', async () => {
      const { lanes } = make()
      const lane = newLane()
      const others = [
        { ...lane, project: freshProject() },
        { ...lane, subscriber: 'track' },
        { ...lane, partitionkey: 'repository/octo' },
        { ...lane, replay: 'r1' },
        { ...lane, partitionkey: `${lane.partitionkey}#` },
      ]
      await lanes.wait(lane, { ...at(lane, 1), delivery: dead() }, 'closing')
      for (const other of others) {
        expect(await lanes.lane(other)).toBeUndefined()
        expect(await lanes.waiting(other, 5)).toEqual([])
        expect(await lanes.wait(other, { ...at(other, 2), delivery: parked() }, 'behind')).toBe('open')
      }
    })

    test.each(['done', 'dropped'] as const)('takes nothing that is %s', async (state) => {
      const { lanes, history } = make()
      const lane = newLane()
      const one = at(lane, 1)
      const final = delivery({ state })
      await history.mark(one.key, final)
      expect(await lanes.wait(lane, { ...one, delivery: dead() }, 'closing')).toBe('final')
      expect(await lanes.wait(lane, { ...one, delivery: parked() }, 'behind')).toBe('final')
      expect([await lanes.lane(lane), await lanes.waiting(lane, 5)]).toEqual([undefined, []])
      expect(await history.getDeliveries([one.key])).toEqual([final])
    })
  })

  describe('what comes to wait', () => {
    const newer = delivery({ state: 'retrying', reason: 'sent again', changed: minute(7), resumed: 1 })

    test.each([
      ['nothing', undefined],
      ['an older mark', dead()],
      ['another state', { state: 'parked', changed: minute(7) }],
    ] as const)('goes by what was seen: %s is not what stands', async (_, seen) => {
      const { lanes, history } = make()
      const lane = newLane()
      const one = at(lane, 1)
      await history.mark(one.key, newer)
      for (const how of ['closing', 'behind'] as const)
        expect(await lanes.wait(lane, { ...one, delivery: dead(), seen }, how)).toBe('changed')
      expect([await lanes.lane(lane), await lanes.waiting(lane, 5)]).toEqual([undefined, []])
      expect(await history.getDeliveries([one.key])).toEqual([newer])
      expect(await lanes.wait(lane, { ...one, delivery: dead(), seen: newer }, 'closing')).toBe('waits')
      expect(await history.getDeliveries([one.key])).toEqual([dead()])
    })

    test.each(['done', 'dropped'] as const)('leaves what was seen to be %s as it is', async (state) => {
      const { lanes, history } = make()
      const lane = newLane()
      const one = at(lane, 1)
      const seen = delivery({ state })
      await history.mark(one.key, seen)
      expect(await lanes.wait(lane, { ...one, delivery: dead(), seen }, 'closing')).toBe('final')
      expect(await history.getDeliveries([one.key])).toEqual([seen])
    })
  })

  describe('a release', () => {
    const released = { name: 'r1', last: 2 }

    async function closedLane() {
      const fixture = make()
      const lane = newLane()
      await fixture.lanes.wait(lane, { ...at(lane, 1), delivery: dead() }, 'closing')
      await fixture.lanes.wait(lane, { ...at(lane, 2), delivery: parked() }, 'behind')
      const version = async () => (await fixture.lanes.lane(lane))?.version ?? expect.fail('it is open')
      return { ...fixture, lane, version }
    }

    test('lets pass what was sent under its name, and stays when others come to wait behind', async () => {
      const { lanes, lane, version } = await closedLane()
      expect(await lanes.release(lane, await version(), released)).toBe(true)
      expect(await lanes.lane(lane)).toMatchObject({ release: 'r1', last: 2, reason: 'no' })
      await lanes.wait(lane, { ...at(lane, 3), delivery: parked() }, 'behind')
      expect(await lanes.lane(lane)).toMatchObject({ release: 'r1', last: 2 })
    })

    test.each(['dead', 'parked'] as const)(
      'is taken back by what closes the lane again, %s',
      async (state) => {
        const { lanes, lane, version } = await closedLane()
        await lanes.release(lane, await version(), released)
        const again = { ...at(lane, 1), delivery: dead({ state, reason: 'again', changed: minute(8) }) }
        expect(await lanes.wait(lane, { ...again, seen: dead() }, 'closing')).toBe('waits')
        const now = await lanes.lane(lane)
        expect([now?.release, now?.last, now?.reason, now?.since]).toEqual([
          undefined,
          undefined,
          'again',
          minute(5),
        ])
      },
    )

    test('is refused where more has come to wait since it was looked at, or it was released meanwhile', async () => {
      const { lanes, lane, version } = await closedLane()
      const before = await version()
      await lanes.wait(lane, { ...at(lane, 3), delivery: parked() }, 'behind')
      expect(await lanes.release(lane, before, released)).toBe(false)
      expect((await lanes.lane(lane))?.release).toBeUndefined()
      const seen = await version()
      expect(await lanes.release(lane, seen, released)).toBe(true)
      expect(await lanes.release(lane, seen, { name: 'r2', last: 3 })).toBe(false)
      expect(await lanes.lane(lane)).toMatchObject(released.name === 'r1' ? { release: 'r1' } : {})
      expect(await lanes.release(newLane(), 1, released)).toBe(false)
    })

    test('of ten at once one is made', async () => {
      const { lanes, lane, version } = await closedLane()
      const seen = await version()
      const made = await Promise.all(
        Array.from({ length: 10 }, (_, n) => lanes.release(lane, seen, { name: `r${n}`, last: n })),
      )
      expect(made.filter(Boolean)).toHaveLength(1)
      const winner = made.indexOf(true)
      expect(await lanes.lane(lane)).toMatchObject({ release: `r${winner}`, last: winner })
    })
  })

  describe('at once', () => {
    test('ten that come to wait all do, whichever closes the lane', async () => {
      const { lanes, history } = make()
      const lane = newLane()
      const all = Array.from({ length: 10 }, (_, n) => at(lane, n))
      const answers = await Promise.all(
        all.map((one) => lanes.wait(lane, { ...one, delivery: dead() }, 'closing')),
      )
      expect(new Set(answers)).toEqual(new Set(['waits']))
      expect(await lanes.waiting(lane, 20)).toEqual(all)
      const marks = await history.getDeliveries(all.map(({ key }) => key))
      expect(marks.map((mark) => mark?.state)).toEqual(all.map(() => 'dead'))
    })

    test('of opening and coming to wait one wins, and nothing is left in an open lane', async () => {
      for (let round = 0; round < 8; round++) {
        const { lanes, history } = make()
        const lane = newLane()
        const [first, later] = [at(lane, 1), at(lane, 2)]
        await lanes.wait(lane, { ...first, delivery: dead() }, 'closing')
        await lanes.leave(lane, first)
        const version = (await lanes.lane(lane))?.version ?? 0
        const wait = () => lanes.wait(lane, { ...later, delivery: parked() }, 'behind')
        const open = () => lanes.open(lane, version)
        const [waited, opened] =
          round % 2 === 0
            ? await Promise.all([wait(), open()])
            : await Promise.all([open(), wait()]).then(([o, w]) => [w, o] as const)
        expect([waited, opened]).toEqual(waited === 'waits' ? ['waits', false] : ['open', true])
        expect(await lanes.waiting(lane, 5)).toEqual(waited === 'waits' ? [later] : [])
        expect((await lanes.lane(lane)) === undefined).toBe(opened)
        const [mark] = await history.getDeliveries([later.key])
        expect(mark?.state).toBe(waited === 'waits' ? 'parked' : undefined)
      }
    })
  })

  test('a lane in which something waits is not opened', async () => {
    const { lanes } = make()
    const lane = newLane()
    await lanes.wait(lane, { ...at(lane, 1), delivery: dead() }, 'closing')
    const version = (await lanes.lane(lane))?.version ?? 0
    expect(await lanes.open(lane, version)).toBe(false)
    expect(await lanes.lane(lane)).toBeDefined()
  })

  test('no version of a lane comes twice, though it was opened in between', async () => {
    const { lanes } = make()
    const lane = newLane()
    const seen: number[] = []
    for (let n = 1; n <= 3; n++) {
      await lanes.wait(lane, { ...at(lane, n), delivery: dead({ changed: minute(n) }) }, 'closing')
      const closed = await lanes.lane(lane)
      expect(closed).toEqual({ version: expect.any(Number), reason: 'no', since: minute(n) })
      seen.push(closed?.version ?? 0)
      await lanes.leave(lane, at(lane, n))
      expect(await lanes.open(lane, seen.at(-1) ?? 0)).toBe(true)
    }
    await lanes.wait(lane, { ...at(lane, 9), delivery: dead() }, 'closing')
    expect(new Set(seen).size).toBe(3)
    for (const version of seen) expect(await lanes.release(lane, version, { name: 'r', last: 9 })).toBe(false)
  })

  test('what waits is listed like every open delivery, and its event is kept', async () => {
    const { lanes, history, bodies, expireBody } = make()
    const lane = newLane()
    const { key, sequence } = at(lane, 1)
    const stored = sample({ ...key, type: 'repository.updated', dataref: `audit/${lane.project}/1` })
    await history.insertEvents([stored])
    await bodies.put(stored.event.dataref ?? '', Buffer.from('{}'))
    await lanes.wait(lane, { key, sequence, delivery: parked() }, 'closing')
    await expireBody(stored.event.dataref ?? '')
    expect(await bodies.get(stored.event.dataref ?? '')).toBeDefined()
    const { project, subscriber } = lane
    const open = await history.openMarks({ project, subscriber, limit: 9 })
    expect(open.items).toEqual([{ ...key, state: 'parked', changed: minute(6), type: 'repository.updated' }])
  })

  describe('closed lanes', () => {
    test('are listed longest closed first, page by page, apart from open deliveries', async () => {
      const { lanes, history } = make()
      const { project, subscriber } = newLane()
      const all = Array.from({ length: 9 }, (_, n) => newLane({ project, partitionkey: `k#${n}` }))
      for (const [n, lane] of all.entries())
        await lanes.wait(
          lane,
          { ...at(lane, n, `e${n}`), delivery: dead({ changed: minute(30 - n) }) },
          'closing',
        )
      // more that waits changes nothing of where it stands
      const [first = newLane()] = all
      await lanes.wait(first, { ...at(first, 50), delivery: dead({ changed: minute(50) }) }, 'closing')
      const pages = await allPages((cursor) => lanes.closed({ project, subscriber, cursor, limit: 4 }))
      expect(pages.map((page) => page.length)).toEqual([4, 4, 1])
      expect(pages.flat()).toMatchObject(
        all.toReversed().map((lane) => ({ ...lane, reason: 'no', since: expect.any(String) })),
      )
      expect(pages.flat().at(-1)).toEqual({ ...first, ...(await lanes.lane(first)) })
      expect((await history.openMarks({ project, subscriber, limit: 20 })).items).toHaveLength(10)
      expect((await lanes.closed({ project, subscriber: 'track', limit: 5 })).items).toEqual([])
    })

    test('leave their list when they are opened', async () => {
      const { lanes } = make()
      const lane = newLane()
      await lanes.wait(lane, { ...at(lane, 1), delivery: dead() }, 'closing')
      await lanes.leave(lane, at(lane, 1))
      const [found] = (await lanes.closed({ ...lane, limit: 5 })).items
      await lanes.open(lane, found?.version ?? 0)
      expect(await lanes.closed({ ...lane, limit: 5 })).toEqual({ items: [], next: undefined })
    })

    test('refuse a cursor that is not theirs', async () => {
      const { lanes } = make()
      await expect(lanes.closed({ ...newLane(), cursor: 'e30', limit: 1 })).rejects.toMatchObject({
        name: 'Malformed',
      })
    })
  })
}
