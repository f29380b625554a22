import { describe, expect, test } from 'vitest'
import type { Bodies, History } from '../../core/ports.ts'
import { delivery, freshProject, keyOf, minute, noise, sample } from './samples.ts'

export type HistoryFixture = {
  history: History
  /** what the history was given to keep the bodies of held events */
  bodies: Bodies
  /** deletes a body as its expiry would */
  expireBody(key: string): Promise<void>
}

const kinds = (verdicts: readonly { verdict: string }[]): string[] => verdicts.map(({ verdict }) => verdict)

/** What every History keeps: events and the marks of their deliveries. */
export function historyContract(make: () => HistoryFixture): void {
  describe('events', () => {
    test('an event comes back as it was stored, whatever it holds', async () => {
      const { history } = make()
      const project = freshProject()
      const plain = sample({ project })
      const full = sample({
        project,
        source: 'urn:x#y#z',
        id: 'ünï#cødé 🦊/"quoted"',
        subject: 'öffentlich',
        sequence: 7,
        partitionkey: 'issue/123',
        correlationid: 'story-1',
        causationid: 'story-1',
        cause: { source: '/loadpath/x', id: 'c', by: 'x', replay: 'r1' },
        released: { digest: 'd', by: 'user:ada', at: minute(3), edited: true },
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
        extensions: { colour: 'red', size: 3, new: true },
        unknown: true,
        data: { text: '日本語 \u0000 \u{1f600}', nested: [[], {}, null, 1.5, -0.1, false, ''], empty: '' },
      })
      const bare = sample({ project }, { expects: [] })
      delete bare.event.data
      expect(kinds(await history.insertEvents([plain, full, bare]))).toEqual([
        'inserted',
        'inserted',
        'inserted',
      ])
      const found = await history.getEvents([full.event, bare.event, plain.event])
      expect(found).toEqual([full, bare, plain])
      expect((await history.fate(full.event)).stored).toEqual(full)
      expect((await history.fate(full.event, { consistent: false })).stored).toEqual(full)
    })

    test('what is not there is undefined, and the order asked is the order answered', async () => {
      const { history } = make()
      const project = freshProject()
      const stored = sample({ project })
      await history.insertEvents([stored])
      const { event } = stored
      const found = await history.getEvents([
        { ...event, id: 'nobody' },
        event,
        { ...event, source: 'https://elsewhere' },
        { ...event, project: freshProject() },
        event,
      ])
      expect(found).toEqual([undefined, stored, undefined, undefined, stored])
      expect(await history.getEvents([])).toEqual([])
      expect(await history.fate({ ...event, id: 'nobody' })).toEqual({ stored: undefined, deliveries: [] })
    })

    test('an identity is taken once: the first content stands', async () => {
      const { history } = make()
      const project = freshProject()
      const first = sample({ project, data: { n: 1 } })
      const second = sample({ project, id: first.event.id, data: { n: 2 } })
      expect(kinds(await history.insertEvents([first]))).toEqual(['inserted'])
      expect(kinds(await history.insertEvents([second, sample({ project })]))).toEqual(['exists', 'inserted'])
      expect(await history.getEvents([first.event])).toEqual([first])
    })

    test('two of one identity in one call: the first is inserted, the second exists', async () => {
      const { history } = make()
      const project = freshProject()
      const first = sample({ project, data: { n: 1 } })
      const second = sample({ project, id: first.event.id, data: { n: 2 } })
      const other = sample({ project })
      expect(kinds(await history.insertEvents([first, other, second]))).toEqual([
        'inserted',
        'inserted',
        'exists',
      ])
      expect(await history.getEvents([first.event])).toEqual([first])
    })

    test('one id from two sources is two events', async () => {
      const { history } = make()
      const project = freshProject()
      const one = sample({ project, id: 'same', source: 'https://a' })
      const two = sample({ project, id: 'same', source: 'https://b' })
      expect(kinds(await history.insertEvents([one, two]))).toEqual(['inserted', 'inserted'])
      await history.insertDeliveries([{ ...keyOf(one.event), ...delivery() }])
      expect((await history.sourcesOf(project, 'same')).toSorted()).toEqual(['https://a', 'https://b'])
      expect((await history.fate(one.event)).deliveries).toHaveLength(1)
      expect(await history.fate(two.event)).toEqual({ stored: two, deliveries: [] })
      expect(await history.sourcesOf(project, 'other')).toEqual([])
      expect(await history.sourcesOf(freshProject(), 'same')).toEqual([])
    })

    test('a hundred and one events in one call, each told apart', async () => {
      const { history } = make()
      const project = freshProject()
      const all = Array.from({ length: 101 }, (_, n) => sample({ project, id: `e${n}`, data: { n } }))
      const known = all.filter((_, n) => n % 10 === 3)
      await history.insertEvents(known)
      const verdicts = await history.insertEvents(all)
      expect(kinds(verdicts)).toEqual(all.map((_, n) => (n % 10 === 3 ? 'exists' : 'inserted')))
      expect(await history.getEvents(all.map(({ event }) => event))).toEqual(all)
      expect(await history.insertEvents([])).toEqual([])
    })

    test('thirty bodies of 64 KB that do not compress', async () => {
      const { history } = make()
      const project = freshProject()
      const all = Array.from({ length: 30 }, () => sample({ project, data: noise(63_998) }))
      expect(new Set(kinds(await history.insertEvents(all)))).toEqual(new Set(['inserted']))
      expect(await history.getEvents(all.map(({ event }) => event))).toEqual(all)
    })

    test('the same event from ten callers at once is inserted once', async () => {
      const { history } = make()
      const stored = sample({ project: freshProject() })
      const verdicts = await Promise.all(Array.from({ length: 10 }, () => history.insertEvents([stored])))
      expect(kinds(verdicts.flat()).toSorted()).toEqual([...Array(9).fill('exists'), 'inserted'])
    })
  })

  describe('deliveries', () => {
    test('a mark comes back as it was written, alone and in the fate', async () => {
      const { history } = make()
      const stored = sample({ project: freshProject(), source: 'urn:a#b', id: 'x#y' })
      await history.insertEvents([stored])
      const failing = delivery({
        state: 'retrying',
        attempts: 2,
        reason: 'größer: "too late" 🦊',
        run: 'r1',
        resumed: 2,
        uncounted: -1,
        letGo: true,
        replayed: 'rebuild',
      })
      const done = delivery({ emitted: ['e1', 'e2'] })
      expect(await history.mark(keyOf(stored.event), failing)).toBe(true)
      expect(
        kinds(await history.insertDeliveries([{ ...keyOf(stored.event, 'publish', 'replay-1'), ...done }])),
      ).toEqual(['inserted'])
      expect(
        await history.getDeliveries([
          keyOf(stored.event, 'publish', 'replay-1'),
          keyOf(stored.event, 'publish'),
          keyOf(stored.event),
        ]),
      ).toEqual([done, undefined, failing])
      expect(await history.fate(stored.event)).toEqual({
        stored,
        deliveries: [
          { ...keyOf(stored.event), ...failing },
          { ...keyOf(stored.event, 'publish', 'replay-1'), ...done },
        ],
      })
    })

    test('an inserted mark does not replace one that stands', async () => {
      const { history } = make()
      const { event } = sample({ project: freshProject() })
      await history.mark(keyOf(event), delivery({ state: 'retrying', reason: 'first' }))
      const other = { ...keyOf(event, 'publish'), ...delivery() }
      const verdicts = await history.insertDeliveries([{ ...keyOf(event), ...delivery() }, other, other])
      expect(kinds(verdicts)).toEqual(['exists', 'inserted', 'exists'])
      expect((await history.getDeliveries([keyOf(event)]))[0]?.state).toBe('retrying')
    })

    test('a hundred marks in one call', async () => {
      const { history } = make()
      const project = freshProject()
      const marks = Array.from({ length: 100 }, (_, n) => ({
        ...keyOf(sample({ project, id: `e${n}` }).event),
        ...delivery({ attempts: n }),
      }))
      expect(new Set(kinds(await history.insertDeliveries(marks)))).toEqual(new Set(['inserted']))
      const found = await history.getDeliveries(marks)
      expect(found.map((mark) => mark?.attempts)).toEqual(marks.map(({ attempts }) => attempts))
    })

    test.each(['done', 'dropped'] as const)('%s is final', async (state) => {
      const { history } = make()
      const { event } = sample({ project: freshProject() })
      expect(await history.mark(keyOf(event), delivery({ state, reason: 'end' }))).toBe(true)
      for (const later of ['retrying', 'parked', 'dead', 'done', 'dropped'] as const)
        expect(await history.mark(keyOf(event), delivery({ state: later, reason: 'later' }))).toBe(false)
      expect((await history.getDeliveries([keyOf(event)]))[0]).toEqual(delivery({ state, reason: 'end' }))
    })

    test.each(['retrying', 'parked', 'dead'] as const)('%s is replaced by whatever comes', async (state) => {
      const { history } = make()
      const { event } = sample({ project: freshProject() })
      await history.mark(keyOf(event), delivery({ state, reason: 'trouble', attempts: 1 }))
      expect(await history.mark(keyOf(event), delivery({ state: 'done', attempts: 2 }))).toBe(true)
      expect((await history.getDeliveries([keyOf(event)]))[0]).toEqual(delivery({ attempts: 2 }))
    })

    test('of ten final marks at once one is written', async () => {
      const { history } = make()
      const { event } = sample({ project: freshProject() })
      const marked = await Promise.all(
        Array.from({ length: 10 }, (_, n) => history.mark(keyOf(event), delivery({ attempts: n }))),
      )
      expect(marked.filter(Boolean)).toHaveLength(1)
      const winner = marked.indexOf(true)
      expect((await history.getDeliveries([keyOf(event)]))[0]?.attempts).toBe(winner)
    })

    test('a note shows in the fate, once each, whether it comes before or after the mark', async () => {
      const { history } = make()
      const { event } = sample({ project: freshProject() })
      await history.note(keyOf(event), 'b: came early')
      await history.mark(keyOf(event), delivery({ state: 'retrying', notes: ['c: from the mark'] }))
      await history.note(keyOf(event), 'a: came late')
      await Promise.all([1, 2, 3].map(() => history.note(keyOf(event), 'b: came early')))
      await history.mark(keyOf(event), delivery({ notes: ['c: from the mark'] }))
      const { deliveries } = await history.fate(event)
      expect(deliveries).toEqual([
        {
          ...keyOf(event),
          ...delivery(),
          notes: ['a: came late', 'b: came early', 'c: from the mark'],
        },
      ])
    })

    test('the body of a dead event outlives its expiry', async () => {
      const { history, bodies, expireBody } = make()
      const project = freshProject()
      const dead = sample({ project, dataref: `project/${project}/dead/1` })
      const fine = sample({ project, dataref: `project/${project}/fine/1` })
      await history.insertEvents([dead, fine])
      for (const { event } of [dead, fine])
        await bodies.put(event.dataref ?? '', Buffer.from('{"large":true}'))
      await history.mark(keyOf(dead.event), delivery({ state: 'dead', reason: 'no' }))
      await history.mark(keyOf(fine.event), delivery({ state: 'retrying', reason: 'not yet' }))
      for (const { event } of [dead, fine]) await expireBody(event.dataref ?? '')
      expect(Buffer.from((await bodies.get(dead.event.dataref ?? '')) ?? '').toString()).toBe(
        '{"large":true}',
      )
      expect(await bodies.get(fine.event.dataref ?? '')).toBeUndefined()
    })

    test('a retention given with a mark is not part of what is read back', async () => {
      const { history } = make()
      const { event } = sample({ project: freshProject() })
      await history.insertDeliveries([{ ...keyOf(event), ...delivery({ retention: 'audit' }) }])
      expect(await history.getDeliveries([keyOf(event)])).toEqual([delivery()])
    })

    test('deliveries of one event are told apart by subscriber and replay', async () => {
      const { history } = make()
      const { event } = sample({ project: freshProject() })
      await history.mark(keyOf(event), delivery({ changed: minute(5) }))
      expect(await history.mark(keyOf(event, 'publish'), delivery())).toBe(true)
      expect(await history.mark(keyOf(event, 'analyze-push', 'again'), delivery())).toBe(true)
      expect(await history.mark(keyOf(event), delivery())).toBe(false)
    })
  })
}
