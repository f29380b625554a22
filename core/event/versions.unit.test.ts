import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { testCompleted } from '../../events/test.completed.ts'
import { byHttp, tests } from '../../test/arrivals.ts'
import { world } from '../../test/world.ts'
import { isTerminal } from '../errors.ts'
import { faultsOf, fittingVersion, namedVersion, newestData } from './versions.ts'

const newest = testCompleted.example
const { passed: _, failed: __, skipped: ___, ...about } = newest
const oldest = { ...about, total: 10, failures: 2 }
const schema = (version: number | string) => `https://acme.example/schemas/test.completed/${version}`

describe('the version that dataschema names', () => {
  it.each([
    [schema(1), 1],
    [schema(2), 2],
    [schema(31), 31],
    [schema(0), undefined],
    [schema('01'), undefined],
    [schema('2.json'), undefined],
    [schema('1/2'), undefined],
    ['https://acme.example/schemas/other.completed/2', undefined],
    ['/test.completed/2', 2],
    ['test.completed/2', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s is %s', (dataschema, version) => {
    expect(namedVersion('test.completed', dataschema)).toBe(version)
  })
})

describe('the version that data is in', () => {
  it('is the named one, even where another one fits', () => {
    expect(fittingVersion(testCompleted, oldest, schema(1))).toEqual({ version: 1 })
    expect(fittingVersion(testCompleted, newest, schema(2))).toEqual({ version: 2 })
    expect(fittingVersion(testCompleted, { ...oldest, ...newest }, schema(1))).toEqual({ version: 1 })
  })

  it('is the newest that fits where none is named', () => {
    expect(fittingVersion(testCompleted, newest, undefined)).toEqual({ version: 2 })
    expect(fittingVersion(testCompleted, { ...oldest, ...newest }, undefined)).toEqual({ version: 2 })
    expect(fittingVersion(testCompleted, oldest, undefined)).toEqual({ version: 1 })
  })

  it('is none where the named one does not fit: the faults are that version’s', () => {
    expect(fittingVersion(testCompleted, newest, schema(1))).toMatchObject({
      faults: [{ path: 'data.total' }, { path: 'data.failures' }],
    })
  })

  it('is none where none fits: the faults are the newest one’s', () => {
    expect(fittingVersion(testCompleted, about, undefined)).toMatchObject({
      faults: [{ path: 'data.passed' }, { path: 'data.failed' }, { path: 'data.skipped' }],
    })
  })
})

describe('an event in an older version', () => {
  it('is kept as received, with its version', async () => {
    const outcome = await world().one(byHttp(tests('t', { data: oldest, dataschema: schema(1) })))
    expect(outcome).toMatchObject({ status: 'recorded', event: { data: oldest, dataversion: 1 } })
  })

  it('is read in the newest version, step by step', async () => {
    const outcome = await world().one(byHttp(tests('t', { data: oldest })))
    if (!('event' in outcome)) throw new Error('not recorded')
    expect(newestData(outcome.event, outcome.event.data).data).toEqual({
      ...about,
      passed: 8,
      failed: 2,
      skipped: 0,
    })
  })

  it('is refused, not lost, when its own rules do not hold', async () => {
    const outcome = await world().one(
      byHttp(tests('t', { data: { ...oldest, failures: 11 }, dataschema: schema(1) })),
    )
    expect(outcome).toMatchObject({
      status: 'refused',
      faults: [{ path: 'data.failures', expected: 'more failures than tests', got: '11' }],
    })
  })
})

describe('an event in a newer version than this code knows', () => {
  it('is unavailable and never refused: newer code will take it', async () => {
    const w = world()
    const outcome = await w.one(byHttp(tests('t', { dataschema: schema(3) })))
    expect(outcome).toMatchObject({ status: 'unavailable', error: { code: 'NewerVersion' } })
    expect(isTerminal('error' in outcome ? outcome.error : undefined)).toBe(false)
    expect(w.stores.history.all()).toEqual({ events: [], deliveries: [], quarantined: [], pages: [] })
  })

  it('does not hold up the others of its batch', async () => {
    const outcomes = await world().record(byHttp(tests('t', { dataschema: schema(3) })), byHttp(tests('u')))
    expect(outcomes.map(({ status }) => status)).toEqual(['unavailable', 'recorded'])
  })

  it('is retryable for a reader, too', () => {
    const stored = { type: 'test.completed', dataversion: 3 }
    expect(() => newestData(stored as never, newest)).toThrow(
      expect.objectContaining({ code: 'NewerVersion' }),
    )
  })
})

describe('faults', () => {
  const faults = (data: unknown) => {
    const fitting = fittingVersion(testCompleted, data, undefined)
    return 'faults' in fitting ? fitting.faults : []
  }

  it.each([
    ['nothing', undefined, 'nothing'],
    ['null', null, 'null'],
    ['a list', [1, 2], 'an array of 2'],
    ['text', 'x', '"x"'],
  ])('of data that is %s say what was got', (_, data, got) => {
    expect(faults(data)).toEqual([{ path: 'data', expected: 'object', got }])
  })

  it('never repeat the whole of something large, and are few enough to be kept and answered', async () => {
    const [fault] = faults({ ...newest, passed: 'x'.repeat(10_000) })
    expect(fault?.got.length).toBeLessThanOrEqual(80)
    const w = world()
    const commits = Array.from({ length: 20_000 }, () => ({}))
    const outcome = await w.one(byHttp({ ...tests(), type: 'github.push', data: { commits } }))
    expect(JSON.stringify(outcome).length).toBeLessThan(20_000)
    expect(await w.one(byHttp({ ...tests(), ['y'.repeat(500_000)]: [] }))).toMatchObject({
      status: 'refused',
      faults: [{ path: expect.stringMatching(/^y{1,300}…$/) }],
    })
  })
})

describe('what a fault says was expected', () => {
  const gate = z.discriminatedUnion('gate', [
    z.object({ gate: z.literal('build') }),
    z.object({ gate: z.literal('risk') }),
  ])
  it.each([
    [z.object({ a: z.url() }), { a: 'x' }, 'a.a', 'a URL'],
    [z.object({ a: gate }), { a: { gate: 'x' } }, 'a.a.gate', '"build" or "risk"'],
    [z.object({ a: z.union([z.string(), z.array(z.string())]) }), { a: 1 }, 'a.a', 'string or array'],
  ])('%#', (schema, value, path, expected) => {
    const { error } = schema.safeParse(value)
    expect(error && faultsOf(error, value, 'a')).toMatchObject([{ path, expected }])
  })
})
