import fc from 'fast-check'
import { expect, it } from 'vitest'
import { laneWorld, nameOf } from '../../test/lanes.ts'
import { seeded } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { HandlerAny } from '../event/handler.ts'
import { releaseLane } from '../lane/lane.ts'

const key = fc.constantFrom('a', 'b')
const count = fc.integer({ min: 1, max: 10 })
/** At which call of a port a process dies, and whether that still had its effect. */
const death = { at: fc.integer({ min: 1, max: 30 }), withEffect: fc.boolean() }
const does = <Name extends string>(name: Name) => ({ does: fc.constant(name) })

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ ...does('declare'), key }) },
  { weight: 5, arbitrary: fc.record({ ...does('receive'), count }) },
  { weight: 3, arbitrary: fc.record({ ...does('receive and die'), count, ...death }) },
  { weight: 2, arbitrary: fc.record({ ...does('release'), key, dead: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ ...does('release and die'), key, ...death }) },
  { weight: 1, arbitrary: fc.record(does('pause or resume')) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const schedule = fc.record({
  steps: fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
  seed: fc.integer(),
  failing: fc.constantFrom(0, 0.2, 0.5),
  effect: fc.constantFrom('state' as const, 'outside' as const),
})
type Schedule = typeof schedule extends fc.Arbitrary<infer S> ? S : never

/** A world with two lanes whose handler looks back before it does anything, and may fail. */
function lanes({ seed, failing, effect }: Omit<Schedule, 'steps'>) {
  const w = laneWorld({ effect })
  const random = seeded(seed)
  const declared: Record<string, string[]> = { a: [], b: [] }
  const now = { fails: true, paused: false }
  const ran: string[] = []
  const overtaken: string[] = []
  w.control({
    mayRun: async () => (now.paused ? { run: false, reason: 'paused' } : { run: true }),
    report: async () => undefined,
  })
  const namesOf = (lane: string) => declared[lane] ?? []

  const handler: HandlerAny = async (handled, memory) => {
    const name = nameOf(handled)
    const lane = name.slice(0, 1)
    // what is thrown here would be one failure more
    for (const before of namesOf(lane).slice(0, Number(name.slice(1)) - 1))
      if ((await w.mark(before))?.state !== 'done') overtaken.push(`${before} by ${name}`)
    if (now.fails && random() < failing)
      throw random() < 0.3 ? new Failure('NotFound', 'hopeless') : new Error('not now')
    ran.push(name)
    if (effect === 'outside') return []
    const record = { project: 'main', kind: 'log', name: lane }
    const version = ((await memory?.get(record))?.version ?? 0) + 1
    return { writes: [{ ...record, version, value: name }], emits: [], sequence: version }
  }

  const release = (lane: string, dead: boolean) =>
    releaseLane(w.lane(lane), { dead: dead ? namesOf(lane).map((name) => w.key(name)) : [] }, w.deps)

  async function dying(step: { at: number; withEffect: boolean }, act: () => Promise<unknown>) {
    w.crashAt(step.at, step.withEffect)
    await act().catch(() => undefined)
    w.mend()
  }

  async function take(step: Step): Promise<void> {
    w.advance(1000)
    switch (step.does) {
      case 'declare': {
        const names = namesOf(step.key)
        names.push(`${step.key}${names.length + 1}`)
        return w.declared(names.at(-1) ?? '')
      }
      case 'receive':
        await w.receive(handler, step.count)
        return
      case 'receive and die':
        return dying(step, () => w.receiveAndCrash(handler, step.count))
      case 'release':
        await release(step.key, step.dead)
        return
      case 'release and die':
        return dying(step, () => release(step.key, true))
      case 'pause or resume':
        now.paused = !now.paused
        return
      default:
        return step satisfies never
    }
  }

  /** What is wrong ends, and what waits is released. */
  async function settle(): Promise<void> {
    Object.assign(now, { fails: false, paused: false })
    for (let round = 0; round < 10; round++) {
      while (w.waiting().length > 0) await w.receive(handler)
      for (const lane of ['a', 'b']) await release(lane, true)
    }
  }

  return { ...w, take, settle, namesOf, ran, overtaken }
}

it('none is run before all of its key that came before it are done, whatever fails, dies, is released or paused meanwhile', async () => {
  const seen = { ran: 0, dead: 0, parked: 0, resumed: 0 }
  await fc.assert(
    fc.asyncProperty(schedule, async ({ steps, ...given }) => {
      const w = lanes(given)
      for (const step of steps) await w.take(step)
      for (const { state, resumed = 0 } of w.deliveries()) {
        if (state === 'dead' || state === 'parked') seen[state]++
        if (resumed > 0) seen.resumed++
      }
      await w.settle()
      expect(w.overtaken).toEqual([])
      for (const lane of ['a', 'b']) {
        const names = w.namesOf(lane)
        const marks = await Promise.all(names.map((name) => w.mark(name)))
        expect(marks.map((mark) => mark?.state)).toEqual(names.map(() => 'done'))
        expect(await w.stores.lanes.lane(w.lane(lane))).toBeUndefined()
        expect(await w.stores.lanes.waiting(w.lane(lane), 1)).toEqual([])
        if (given.effect === 'outside') continue
        const record = await w.stores.memory.get({ project: 'main', kind: 'log', name: lane })
        expect([record?.version ?? 0, record?.value]).toEqual([names.length, names.at(-1)])
      }
      seen.ran += w.ran.length
    }),
    { numRuns: 500 },
  )
  // a schedule in which nothing happens proves nothing
  expect(Object.values(seen).filter((times) => times < 20)).toEqual([])
})
