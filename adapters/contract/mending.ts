import { describe, expect, test } from 'vitest'
import type { DeliveryKey, Settlement } from '../../core/ports.ts'
import type { HistoryFixture } from './history.ts'
import { delivery, freshProject, keyOf, minute, quarantined, sample } from './samples.ts'

/** What every History promises to who mends: dead letters that are reopened or settled, and quarantine that is. */
export function mendingContract(make: () => HistoryFixture): void {
  describe('transitions', () => {
    const dead = delivery({ state: 'dead', reason: 'no', attempts: 5, changed: minute(3) })
    const again = delivery({ state: 'retrying', reason: 'sent again', changed: minute(9), resumed: 1 })

    test('go by the key alone, though it came with what was listed', async () => {
      const { history } = make()
      const project = freshProject()
      const key = keyOf(sample({ project }).event)
      await history.mark(key, dead)
      const query = { project, subscriber: 'analyze-push', limit: 9 }
      const [listed] = (await history.openMarks(query)).items
      if (listed === undefined) return expect.fail('nothing listed')
      expect(await history.transition({ key: listed, seen: listed, next: again })).toBe(true)
      expect(await history.getDeliveries([key])).toEqual([again])
      expect(await history.mark(listed, delivery({ changed: minute(20) }))).toBe(true)
      expect(await history.getDeliveries([key])).toEqual([delivery({ changed: minute(20) })])
    })

    const stateOf = async (history: HistoryFixture['history'], key: DeliveryKey) =>
      (await history.getDeliveries([key]))[0]?.state

    test('reopen what was dead, and move it in the lists', async () => {
      const { history } = make()
      const project = freshProject()
      const stored = sample({ project })
      await history.insertEvents([stored])
      const key = keyOf(stored.event)
      await history.mark(key, dead)
      expect(await history.transition({ key, seen: dead, next: again })).toBe(true)
      expect(await history.fate(stored.event)).toEqual({ stored, deliveries: [{ ...key, ...again }] })
      const { items } = await history.openMarks({ project, subscriber: 'analyze-push', limit: 9 })
      expect(items).toEqual([{ ...key, state: 'retrying', changed: minute(9), type: undefined }])
    })

    test.each([
      ['another state', { state: 'parked', changed: minute(3) }],
      ['another change', { state: 'dead', changed: minute(4) }],
      ['another resumption', { state: 'dead', changed: minute(3), resumed: 1 }],
    ] as const)('are refused where %s was seen', async (_, seen) => {
      const { history } = make()
      const key = keyOf(sample({ project: freshProject() }).event)
      await history.mark(key, dead)
      expect(await history.transition({ key, seen, next: again })).toBe(false)
      expect(await history.getDeliveries([key])).toEqual([dead])
    })

    test('are refused where it was sent anew since, and put back as it was', async () => {
      const { history } = make()
      const key = keyOf(sample({ project: freshProject() }).event)
      await history.mark(key, dead)
      expect(await history.transition({ key, seen: dead, next: again })).toBe(true)
      const back = { ...dead, resumed: 1 }
      expect(await history.transition({ key, seen: again, next: back })).toBe(true)
      expect(await history.transition({ key, seen: dead, next: again })).toBe(false)
      expect(await history.getDeliveries([key])).toEqual([back])
      expect(await history.transition({ key, seen: back, next: { ...again, resumed: 2 } })).toBe(true)
    })

    test('make the first mark where nothing was seen, and only where nothing stands', async () => {
      const { history } = make()
      const key = keyOf(sample({ project: freshProject() }).event)
      expect(await history.transition({ key, seen: undefined, next: dead })).toBe(true)
      expect(await history.getDeliveries([key])).toEqual([dead])
      for (const state of ['parked', 'dead', 'retrying'] as const) {
        const late = delivery({ state, reason: 'late', changed: minute(20) })
        expect(await history.transition({ key, seen: undefined, next: late })).toBe(false)
      }
      expect(await history.getDeliveries([key])).toEqual([dead])
      const again = { ...dead, state: 'retrying', changed: minute(9), resumed: 1 } as const
      expect(await history.transition({ key, seen: dead, next: again })).toBe(true)
      expect(await history.transition({ key, seen: undefined, next: dead })).toBe(false)
      expect(await history.getDeliveries([key])).toEqual([again])
    })

    test('are refused where nothing stands, and make nothing', async () => {
      const { history } = make()
      const key = keyOf(sample({ project: freshProject() }).event)
      expect(await history.transition({ key, seen: dead, next: again })).toBe(false)
      expect(await history.getDeliveries([key])).toEqual([undefined])
    })

    test('happen once: who saw what stood before is refused', async () => {
      const { history } = make()
      const key = keyOf(sample({ project: freshProject() }).event)
      await history.mark(key, dead)
      expect(await history.transition({ key, seen: dead, next: again })).toBe(true)
      expect(await history.transition({ key, seen: dead, next: delivery({ state: 'dropped' }) })).toBe(false)
      expect(await history.transition({ key, seen: again, next: delivery({ state: 'dropped' }) })).toBe(true)
      expect(await stateOf(history, key)).toBe('dropped')
    })

    test.each(['done', 'dropped'] as const)(
      'leave what is %s as it is, however it was seen',
      async (state) => {
        const { history } = make()
        const key = keyOf(sample({ project: freshProject() }).event)
        const end = delivery({ state, reason: 'end' })
        await history.mark(key, end)
        for (const next of [again, dead, delivery({ changed: minute(30) })])
          expect(await history.transition({ key, seen: end, next })).toBe(false)
        expect(await history.getDeliveries([key])).toEqual([end])
      },
    )

    test('of ten at once one is written', async () => {
      const { history } = make()
      const key = keyOf(sample({ project: freshProject() }).event)
      await history.mark(key, dead)
      const changed = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          history.transition({ key, seen: dead, next: { ...again, changed: minute(20 + n) } }),
        ),
      )
      expect(changed.filter(Boolean)).toHaveLength(1)
      const winner = changed.indexOf(true)
      expect((await history.getDeliveries([key]))[0]?.changed).toBe(minute(20 + winner))
    })

    test('of a redrive and the mark of its handling none undoes the other', async () => {
      const { history } = make()
      const key = keyOf(sample({ project: freshProject() }).event)
      await history.mark(key, dead)
      const done = delivery({ changed: minute(12) })
      await Promise.all([history.transition({ key, seen: dead, next: again }), history.mark(key, done)])
      expect(await history.getDeliveries([key])).toEqual([done])
    })

    test('the body of an event that is parked by one outlives its expiry', async () => {
      const { history, bodies, expireBody } = make()
      const project = freshProject()
      const { event, ...stored } = sample({ project, dataref: `project/${project}/parked/1` })
      await history.insertEvents([{ event, ...stored }])
      await bodies.put(event.dataref ?? '', Buffer.from('{"large":true}'))
      await history.mark(keyOf(event), again)
      const parked = delivery({ state: 'parked', changed: minute(11) })
      expect(await history.transition({ key: keyOf(event), seen: again, next: parked })).toBe(true)
      await expireBody(event.dataref ?? '')
      expect(await bodies.get(event.dataref ?? '')).toBeDefined()
      const query = { project, subscriber: 'analyze-push', state: 'parked', limit: 5 } as const
      expect((await history.openMarks(query)).items).toMatchObject([{ id: event.id, type: event.type }])
    })
  })

  describe('settled quarantine', () => {
    const settled = (more: Partial<Settlement> = {}): Settlement => ({
      state: 'recorded',
      by: 'user:ü',
      at: minute(8),
      note: 'recorded as e1',
      ...more,
    })

    test('is off the list of what waits, and says what became of it', async () => {
      const { history } = make()
      const project = freshProject()
      const [one, two] = [quarantined(project, 1), quarantined(project, 2)]
      for (const entry of [one, two]) await history.quarantine(entry)
      expect(await history.settleQuarantined(project, one.digest, settled())).toBe(true)
      expect(await history.getQuarantined(project, one.digest)).toEqual({ ...one, settled: settled() })
      expect((await history.quarantined({ project, limit: 9 })).items).toEqual([two])
    })

    test('is settled once, and nothing else is', async () => {
      const { history } = make()
      const project = freshProject()
      const entry = quarantined(project, 1)
      await history.quarantine(entry)
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          history.settleQuarantined(project, entry.digest, settled({ note: `${n}` })),
        ),
      )
      expect(answers.filter(Boolean)).toHaveLength(1)
      const note = `${answers.indexOf(true)}`
      expect((await history.getQuarantined(project, entry.digest))?.settled?.note).toBe(note)
      const dropped = settled({ state: 'dropped' })
      expect(await history.settleQuarantined(project, entry.digest, dropped)).toBe(false)
      expect(await history.settleQuarantined(project, 'f'.repeat(64), dropped)).toBe(false)
      expect(await history.getQuarantined(project, 'f'.repeat(64))).toBeUndefined()
    })

    test('waits anew when the same text comes again', async () => {
      const { history } = make()
      const project = freshProject()
      const entry = quarantined(project, 1)
      await history.quarantine(entry)
      await history.settleQuarantined(project, entry.digest, settled({ state: 'dropped' }))
      const later = { ...entry, received: minute(40) }
      expect(await history.quarantine(later)).toBe(true)
      expect(await history.quarantine({ ...entry, received: minute(50) })).toBe(false)
      expect(await history.getQuarantined(project, entry.digest)).toEqual(later)
      expect((await history.quarantined({ project, limit: 9 })).items).toEqual([later])
      expect(await history.settleQuarantined(project, entry.digest, settled())).toBe(true)
    })
  })
}
