import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { eventTypeNamed, eventTypes } from './catalogue.ts'
import { findFaults } from './checks.ts'
import { deliveryEdited } from './delivery.edited.ts'
import { defineEvent, type EventType, olderVersion } from './event-type.ts'
import { githubPush } from './github.push.ts'
import type { Route } from './route.ts'
import { producers, routes } from './routes.ts'
import { testCompleted } from './test.completed.ts'

const folder = new URL('.', import.meta.url)

const isEventType = (value: unknown): value is EventType =>
  typeof value === 'object' && value !== null && 'type' in value && 'schema' in value && 'retention' in value

const declarations = await Promise.all(
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map(async (name) => {
      const module: Record<string, unknown> = await import(new URL(name, folder).href)
      return { name, declared: Object.values(module).filter(isEventType) }
    }),
)
const files = declarations.filter(({ declared }) => declared.length > 0)

/** Data of one version, lifted to the newest by the type's own upcasters. */
const lifted = ({ older }: EventType, from: number, data: unknown): unknown =>
  older.slice(from).reduce((current, version) => version.upcast(version.schema.parse(current) as never), data)

describe('the catalogue', () => {
  it('has every type that a file of this folder declares, and no other', () => {
    const declared = files.flatMap((file) => file.declared.map((type) => type.type))
    expect(eventTypes.map((type) => type.type)).toEqual(declared.sort())
  })

  it.each(files)('$name declares the one type that it is named after', ({ name, declared }) => {
    expect(declared.map((type) => `${type.type}.ts`)).toEqual([name])
  })

  it('finds a type by its name, and nothing by another', () => {
    expect(eventTypeNamed('github.push')).toBe(githubPush)
    expect(eventTypeNamed('github.pushed')).toBeUndefined()
  })

  it.each(eventTypes)('$type: its example is valid, and tells what belongs together', (type) => {
    const parsed = type.schema.safeParse(type.example)
    expect(parsed.error?.issues ?? []).toEqual([])
    expect(type.partitionkey?.(parsed.data as never)).toMatch(/^[a-z-]+\/.+/)
  })

  it('delivery.edited: its example was recorded, and mended to what may be', () => {
    const { event, changes } = deliveryEdited.example
    const type = eventTypeNamed(event.type)
    for (const { path, before, after } of changes)
      for (const value of [before, after]) {
        const parsed = type?.schema.safeParse({ ...(type.example as object), [path.slice(1)]: value })
        expect(parsed?.error?.issues).toBeUndefined()
        expect(parsed?.data).toMatchObject({ [path.slice(1)]: value })
      }
  })

  it.each(eventTypes)('$type: refuses what is no data of its own', (type) => {
    for (const garbage of [undefined, null, 'text', 7, [], {}])
      expect(type.schema.safeParse(garbage).success).toBe(false)
  })

  it.each(eventTypes.filter((type) => type.older.length > 0))(
    '$type: each older example is valid, and becomes one of the newest version',
    (type) => {
      for (const [index, { schema, example }] of type.older.entries()) {
        expect(schema.safeParse(example).error?.issues ?? []).toEqual([])
        const newest = type.schema.safeParse(lifted(type, index, example))
        expect(newest.error?.issues ?? []).toEqual([])
      }
    },
  )

  it('lifts test.completed version 1 without losing a test', () => {
    const first = { repository: 'a/b', branch: 'main', commit: 'c', suite: 'unit', total: 9, failures: 2 }
    expect(lifted(testCompleted, 0, first)).toEqual({
      repository: 'a/b',
      branch: 'main',
      commit: 'c',
      suite: 'unit',
      passed: 7,
      failed: 2,
      skipped: 0,
    })
    expect(testCompleted.older[0]?.schema.safeParse({ ...first, failures: 10 }).success).toBe(false)
  })
})

describe('payloads that GitHub really sent', () => {
  const kinds = z
    .array(
      z.object({ name: z.string(), examples: z.array(z.looseObject({ action: z.string().optional() })) }),
    )
    .parse(createRequire(import.meta.url)('@octokit/webhooks-examples'))
  /** github.<event>[.<action>], in GitHub's words */
  const payloads = kinds.flatMap(({ name, examples }) =>
    examples.map((payload, index) => {
      const words = ['github', name, payload.action].filter((word) => word !== undefined)
      return { type: words.join('.').replaceAll('_', '-'), index, payload }
    }),
  )
  const known = payloads.filter(({ type }) => eventTypeNamed(type) !== undefined)

  it('are there for all but one of the types we declare', () => {
    const seen = new Set(known.map(({ type }) => type))
    const without = eventTypes
      .map(({ type }) => type)
      .filter((type) => type.startsWith('github.') && !seen.has(type))
    expect(without).toEqual(['github.workflow-run.in-progress'])
    expect(known.filter(({ type }) => type === 'github.push')).toHaveLength(7)
  })

  it.each(known)('$type, example $index, is valid', ({ type, payload }) => {
    const parsed = eventTypeNamed(type)?.schema.safeParse(payload)
    expect(parsed?.error?.issues ?? []).toEqual([])
    expect(parsed?.data).toMatchObject({ repository: { full_name: expect.stringContaining('/') } })
  })
})

it('makes a schema when it is first asked for, and once', () => {
  let made = 0
  const schema = () => z.object({ made: z.literal(++made) })
  const about = { description: 'planted', origin: 'ours', retention: 'service' } as const
  const older = olderVersion({ schema, upcast: () => ({ made: 1 }), example: { made: 1 } })
  const type = defineEvent({ ...about, type: 'thing.made', schema, older: [older], example: { made: 1 } })
  expect(made).toBe(0)
  expect(type.schema).toBe(type.schema)
  expect(older.schema).toBe(older.schema)
  expect(made).toBe(2)
})

describe('findFaults', () => {
  const type = (name: string, origin: 'outside' | 'ours') =>
    defineEvent({
      type: name,
      description: 'planted',
      origin,
      retention: 'service',
      schema: () => z.object({}),
      example: {},
    })
  const asked = type('thing.asked', 'outside')
  const made = type('thing.made', 'ours')
  const sold = type('thing.sold', 'ours')
  const route = (changes: Partial<Route>): Route => ({
    subscriber: 'make',
    kind: 'function',
    types: [asked],
    effect: 'outside',
    batch: 10,
    concurrency: 2,
    attempts: 5,
    timeout: 30,
    emits: [],
    ...changes,
  })
  const make = route({ emits: [made] })

  it('finds none in ours', () => {
    expect(findFaults(eventTypes, routes, producers)).toEqual([])
  })

  it('finds none where all is well', () => {
    expect(
      findFaults([asked, made], [make, route({ subscriber: 'sell', types: [made, 'aws.thing'] })], {}),
    ).toEqual([])
    expect(findFaults([asked, made], [route({})], { 'POST /things': [made] })).toEqual([])
  })

  it('finds a type from outside that nobody receives, and one of ours that nobody produces', () => {
    expect(findFaults([asked, made], [route({ types: ['other.thing'] })], {})).toEqual([
      'thing.asked comes from outside and no route receives it: add it to a route or delete its file',
      "thing.made is ours and nothing produces it: add it to a route's emits or to producers, or delete it",
    ])
  })

  it('finds types that are not declared, and declared ones that are only named', () => {
    expect(findFaults([asked], [make], {})).toEqual(['route make: thing.made is not in events/catalogue.ts'])
    expect(findFaults([asked], [route({ types: ['thing.asked'] })], {})).toEqual([
      'route make: thing.asked is declared: import its type instead of naming it',
    ])
  })

  it('finds two routes of one subscriber, once however many there are', () => {
    expect(findFaults([asked], [route({}), route({}), route({})], {})).toEqual([
      'make has two routes: give each subscriber one',
    ])
  })

  it('finds a condition on a type that the route does not take', () => {
    const when = [{ type: 'thing.made', matches: () => true }]
    expect(findFaults([asked], [route({ when })], {})).toEqual([
      'route make: a condition on thing.made, which it does not take',
    ])
  })

  it.each<[Partial<Route>, string]>([
    [{ subscriber: 'Make_It' }, 'route Make_It: a name is at most 40 of a-z, 0-9 and -'],
    [{ subscriber: 'x'.repeat(41) }, `route ${'x'.repeat(41)}: a name is at most 40 of a-z, 0-9 and -`],
    [{ batch: 0 }, 'route make: batch 0: expected 1 to 10'],
    [{ batch: 11 }, 'route make: batch 11: expected 1 to 10'],
    [{ batch: 1.5 }, 'route make: batch 1.5: expected 1 to 10'],
    [{ concurrency: 1 }, 'route make: concurrency 1: SQS mappings take 2 to 1000'],
    [{ attempts: 0 }, 'route make: attempts 0: expected 1 to 20'],
    [{ attempts: 21 }, 'route make: attempts 21: expected 1 to 20'],
    [{ timeout: 901 }, 'route make: timeout 901 s: expected 1 to 900'],
    [{ kind: 'workflow', effect: 'state' }, 'route make: a workflow is of effect outside'],
  ])('finds %j', (changes, fault) => {
    expect(findFaults([asked], [route(changes)], {})).toEqual([fault])
  })

  const inOrder = defineEvent({
    type: 'thing.moved',
    description: 'planted',
    origin: 'ours',
    ordered: true,
    retention: 'service',
    schema: () => z.object({}),
    example: {},
  })

  it.each<[string, Partial<Route>, readonly string[]]>([
    ['of events of ours that declare it', { types: [inOrder] }, []],
    [
      'of a workflow',
      { types: [inOrder], kind: 'workflow' },
      ['ordered: a workflow is only started in order, its runs go side by side'],
    ],
    [
      'with one attempt',
      { types: [inOrder], attempts: 1 },
      ['attempts 1: expected 2 to 20 on an ordered route'],
    ],
    [
      'of what comes from outside',
      { types: [asked, 'other.thing', inOrder] },
      ['thing.asked', 'other.thing'].map(
        (name) => `ordered: ${name} comes from outside, and only events of ours have a sequence`,
      ),
    ],
    [
      'of a type that is not listed in order',
      { types: [made, inOrder] },
      ['ordered: thing.made does not declare `ordered: true`, so its events could not be read back in order'],
    ],
  ])('holds order %s against what can be kept', (_, changes, faults) => {
    const types = [asked, made, inOrder]
    const others = [route({ subscriber: 'ask', types: [asked, 'other.thing'] })]
    expect(
      findFaults(types, [...others, route({ ordered: true, ...changes })], { here: [made, inOrder] }),
    ).toEqual(faults.map((fault) => `route make: ${fault}`))
  })

  it('finds what would be emitted without the sequence that it needs', () => {
    const types = [asked, inOrder]
    const emits = [inOrder]
    const line = route({ subscriber: 'line', types: [inOrder], ordered: true })
    expect(findFaults(types, [route({ emits }), line], {})).toEqual([
      'route make: emits thing.moved, which is `ordered`, and with effect outside it would have no sequence: give the route effect state, or take `ordered` off the type',
    ])
    expect(findFaults(types, [route({ emits, effect: 'state' }), line], {})).toEqual([])
  })

  it('finds a loop once, wherever it is entered, and lets a declared one pass', () => {
    const sell = route({ subscriber: 'sell', types: [made], emits: [sold] })
    const remake = route({ subscriber: 'remake', types: [sold], emits: [made] })
    const types = [asked, made, sold]
    const loop =
      'remake -> sell -> remake is a loop of events: break it, or say in one of these routes `loop: "why it ends"`'
    expect(findFaults(types, [make, sell, remake], {})).toEqual([loop])
    expect(findFaults(types, [remake, sell, make], {})).toEqual([loop])
    expect(findFaults(types, [make, sell, { ...remake, loop: 'each thing is sold once' }], {})).toEqual([])
  })

  it('finds a subscriber that receives what it emits', () => {
    const again = route({ types: [asked, made], emits: [made] })
    expect(findFaults([asked, made], [again], {})).toEqual([
      'make -> make is a loop of events: break it, or say in one of these routes `loop: "why it ends"`',
    ])
  })
})
