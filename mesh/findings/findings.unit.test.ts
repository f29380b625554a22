// Longer than 300 lines: a table, each row a rule as it shows and as it does not.

import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { element, meshFrom, node, servers, tokens } from '../../test/meshes.ts'
import { load } from '../load.ts'
import { parseLoads } from '../loads.ts'
import type { ElementOf, Mesh, MeshElement, MeshNode, NodeOf } from '../model.ts'
import { finding } from './finding.ts'
import { findingsOf, rules } from './findings.ts'

type Case = { nodes: MeshNode[]; elements: MeshElement[]; watched?: Mesh['watched']; loads?: object }

const all = ({ nodes, elements, watched = {}, loads }: Case, constants?: Record<string, number>) => {
  const mesh = { ...meshFrom(nodes, elements), watched }
  const given = parseLoads('rates.json', { version: 1, ...loads, constants }, mesh)
  return findingsOf(load(mesh, given))
}
const found = (rule: string, given: Case, constants?: Record<string, number>) =>
  all(given, constants).filter((one) => one.rule === rule)

const pushed = (
  delivery: Partial<ElementOf<'delivery'>>,
  enabled = true,
  to: MeshNode = node('queue', 'to'),
): Case => ({
  nodes: [node('bus', 'bus'), node('rule', 'rule', { enabled }), to],
  elements: [element('delivery', 'bus', 'rule'), element('delivery', 'rule', 'to', delivery)],
})
const called = (timeout: number, attempts: number, callee: number): Case => ({
  nodes: [node('function', 'f', { timeout }), node('function', 'g', { timeout: callee })],
  elements: [
    element('invoke', 'f', 'g', {
      retry: { attempts, interval: 1, backoff: 2, jitter: false, from: 'template' },
    }),
  ],
})
const machine = (
  task: Partial<NodeOf<'task'>['settings']>,
  flow: Partial<NodeOf<'workflow'>['settings']> = {},
  reserved?: number,
): Case => ({
  nodes: [
    node('rule', 'rule'),
    node('workflow', 'm', flow),
    node('task', 'm#t', { workflow: 'm', timeout: undefined, concurrency: 1, ...task }),
    node('function', 'f', { ...(reserved !== undefined && { reserved }) }),
  ],
  elements: [
    element('delivery', 'rule', 'm'),
    element('invoke', 'm', 'm#t', { timeout: 31_536_000 }),
    element('invoke', 'm#t', 'f'),
  ],
})
const general = { attempts: 4, interval: 1, backoff: 2, jitter: false, from: 'template' }
const chain = (receives: number | undefined, attempts: number): Case => ({
  nodes: [node('queue', 'q', { maxReceiveCount: receives }), node('function', 'f'), node('function', 'g')],
  elements: [element('poll', 'q', 'f'), element('invoke', 'f', 'g', { retry: { ...general, attempts } })],
})
const streaming = (attempts: number | null): Case => ({
  nodes: [node('stream', 's'), node('function', 'f'), node('function', 'g')],
  elements: [
    element('poll', 's', 'f', { attempts }),
    element('invoke', 'f', 'g', { retry: { ...general, attempts: 2 } }),
  ],
})
const looping = (ratio: number | null): Case => ({
  nodes: [node('queue', 'q'), node('function', 'f')],
  elements: [element('poll', 'q', 'f'), element('call', 'f', 'q', { ratio })],
  loads: { arrivals: { q: { x: 1 } } },
})
const split = (large: number): Case => ({
  nodes: ['a', 'b'].flatMap((name) => [node('queue', `${name}-q`), node('function', name)]),
  elements: ['a', 'b'].map((name) => element('poll', `${name}-q`, name)),
  loads: { arrivals: { 'a-q': { x: large }, 'b-q': { y: 1 } } },
})
const busy = (mean: number, limit = 10): Case => ({
  nodes: [node('queue', 'q'), node('function', 'f', {}, [servers(limit)])],
  elements: [element('poll', 'q', 'f')],
  loads: { arrivals: { q: { x: 1 } }, service: { f: { mean } } },
})
/** Ten pollers of a function with so many reserved, which takes so long. */
const quick = (mean: number, reserved = 10): Case => ({
  nodes: [
    node('queue', 'q'),
    node('function', 'f', { reserved }, [servers(reserved), tokens(10 * reserved, 0)]),
  ],
  elements: [element('poll', 'q', 'f', { laws: [servers(10)] })],
  loads: { arrivals: { q: { x: 1 } }, service: { f: { mean } } },
})
const ordered = (rate: number, fifo = true): Case => ({
  nodes: [node('queue', 'q', { fifo }, [tokens(300, 300)]), node('function', 'f')],
  elements: [element('poll', 'q', 'f')],
  loads: { arrivals: { q: { x: rate } } },
})
const matching = (types: string[] | null, sent: string | null = 'a'): Case => ({
  nodes: [node('api', 'api'), node('function', 'f'), node('bus', 'bus'), node('rule', 'r', { types })],
  elements: [
    element('invoke', 'api', 'f'),
    element('call', 'f', 'bus', { types: sent === null ? null : [sent] }),
    element('delivery', 'bus', 'r', { types }),
  ],
})
const coming = (
  types: Record<string, number>,
  to: MeshNode = node('function', 'to'),
  enabled = true,
): Case => ({
  nodes: [node('bus', 'bus'), node('rule', 'rule', { types: ['a'], enabled }), to],
  elements: [element('delivery', 'bus', 'rule', { types: ['a'] }), element('delivery', 'rule', 'to')],
  loads: { arrivals: { bus: types } },
})
/** A bucket that tells of what is made in it, and of nothing else. */
const putting = (type: string): Case => ({
  nodes: [node('bucket', 'b'), node('function', 'f')],
  elements: [element('delivery', 'b', 'f', { types: ['s3:ObjectCreated:*'] })],
  loads: { arrivals: { b: { [type]: 1 } } },
})
const streamed = (letters: boolean, poll: Partial<ElementOf<'poll'>> = {}): Case => ({
  nodes: [node('stream', 's'), node('function', 'f'), node('queue', 'dlq', { deadLetters: true })],
  elements: [
    element('poll', 's', 'f', poll),
    ...(letters ? [element('dead-letter', 's', 'dlq', { of: 'poll' })] : []),
  ],
})
const kept: Case = pushed({ kept: true }, true, node('function', 'to'))
const served = (settings: Partial<NodeOf<'service'>['settings']>): Case => ({
  nodes: [node('service', 's', settings)],
  elements: [],
})
const api = (timeout: number): Case => ({
  nodes: [node('api', 'api'), node('function', 'f', { timeout })],
  elements: [element('invoke', 'api', 'f')],
})
/** An API that starts an express machine and waits for the end of its run. */
const synchronous = (timeout: number, action = 'states:StartSyncExecution'): Case => ({
  nodes: [node('api', 'api'), node('workflow', 'm', { flavour: 'EXPRESS', timeout })],
  elements: [element('call', 'api', 'm', { action })],
})
/** Dead letters that a rule sends, not a queue. */
const letters = (watched: Mesh['watched']): Case => ({
  nodes: [node('rule', 'rule'), node('queue', 'dlq')],
  elements: [element('dead-letter', 'rule', 'dlq')],
  watched,
})
const dominated = (watched: Mesh['watched']): Case => ({ ...api(3), watched })
/** A machine's second state, which every run comes to, or only those that the first fails in. */
const second = (times: number | null): Case => ({
  nodes: [
    node('workflow', 'm'),
    ...['a', 'b'].flatMap((name) => [
      node('task', `m#${name}`, { workflow: 'm', times: name === 'a' ? 1 : times }),
      node('function', name),
    ]),
  ],
  elements: ['a', 'b'].flatMap((name) => [
    element('invoke', 'm', `m#${name}`),
    element('invoke', `m#${name}`, name),
  ]),
  loads: { arrivals: { m: { x: 10 } } },
  watched: { a: ['Errors'] },
})
/** On a bus that anything may come to: a rule for one type, and more than its type or not. */
const typed = (narrower: boolean): Case => ({
  nodes: [node('bus', 'bus'), node('rule', 'r', { types: ['a'], narrower }), node('queue', 'q')],
  elements: [element('delivery', 'bus', 'r', { types: ['a'] }), element('delivery', 'r', 'q')],
})

describe.each<[string, Case, object, Case]>([
  [
    'delivery-without-dlq',
    pushed({ kept: false }),
    { at: 'delivery:rule>to', severity: 'high' },
    pushed({ kept: true }),
  ],
  ['delivery-without-dlq', kept, { severity: 'medium' }, pushed({ kept: false }, false)],
  [
    'async-without-destination',
    pushed({ kept: false }, true, node('function', 'to')),
    { at: 'to', severity: 'high', measured: 0, limit: 1 },
    kept,
  ],
  ['timeouts-nest', called(9, 2, 4.5), { at: 'invoke:f>g', measured: 9, limit: 10 }, called(10, 2, 4.5)],
  [
    'timeouts-nest',
    machine({ timeout: 10, retries: [general] }, { timeout: 46 }),
    { at: 'invoke:m>m#t', measured: 46, limit: 47 },
    machine({ timeout: 10, retries: [general] }, { timeout: 47 }),
  ],
  ['api-timeout', api(31), { at: 'invoke:api>f', measured: 30, limit: 31 }, api(30)],
  [
    'api-timeout',
    synchronous(200),
    { at: 'call:api>m', measured: 30, limit: 200 },
    synchronous(200, 'states:StartExecution'),
  ],
  ['api-timeout', synchronous(31), { limit: 31 }, synchronous(30)],
  ['task-without-timeout', machine({}), { at: 'm#t', severity: 'low' }, machine({ timeout: 5 })],
  [
    'task-without-timeout',
    machine({ integration: 'token' }),
    { severity: 'high', measured: 31_536_000 },
    machine({ integration: 'token' }, { timeout: 60 }),
  ],
  [
    'callback-without-heartbeat',
    machine({ integration: 'token', timeout: 3601 }),
    { at: 'm#t', measured: 3601, limit: 3600 },
    machine({ integration: 'token', timeout: 3601, heartbeat: 60 }),
  ],
  [
    'retries-multiply',
    chain(5, 3),
    { at: 'invoke:f>g', severity: 'medium', measured: 15, limit: 10 },
    chain(5, 1),
  ],
  // four days of 60 s, and a day of once a second
  ['retries-multiply', chain(undefined, 3), { measured: 3 * 5760 }, chain(undefined, 1)],
  ['retries-multiply', streaming(null), { measured: 2 * 86_400 }, streaming(1)],
  ['retries-multiply', streaming(3), { severity: 'low', measured: 6 }, streaming(1)],
  ['retries-multiply', chain(3, 3), { severity: 'low', measured: 9 }, chain(1, 3)],
  ['loop-gain', looping(1), { at: 'f', severity: 'high', measured: 1, limit: 1 }, looping(0.99)],
  ['loop-possible', looping(null), { at: 'f', severity: 'low', measured: 1 }, looping(0.99)],
  ['loop-possible', looping(null), {}, looping(1)],
  ['flow-through-one', split(5), { at: 'a', severity: 'low', measured: 5 / 6, limit: 0.8 }, split(4)],
  [
    'dominator-without-alarm',
    dominated({ api: ['5XXError'] }),
    { at: 'f', severity: 'medium' },
    dominated({ api: ['5XXError'], f: ['Errors'] }),
  ],
  [
    'dominator-without-alarm',
    second(1),
    {
      at: 'b',
      severity: 'medium',
      says: 'What comes in as x has to pass b, and no alarm with an action watches it.',
    },
    { ...second(1), watched: { a: ['Errors'], b: ['Errors'] } },
  ],
  [
    'dominator-without-alarm',
    second(null),
    {
      ...{ at: 'b', severity: 'low' },
      says: 'Of what comes in as x, what goes by b has no other way, and no alarm with an action watches it.',
    },
    { ...second(null), watched: { a: ['Errors'], b: ['Errors'] } },
  ],
  [
    'dominator-without-alarm',
    typed(false),
    { at: 'q', says: 'What comes in as a has to pass q, and no alarm with an action watches it.' },
    { ...typed(false), watched: { q: ['ApproximateAgeOfOldestMessage'] } },
  ],
  [
    'dominator-without-alarm',
    typed(true),
    { at: 'q', severity: 'low' },
    { ...typed(true), watched: { q: ['ApproximateAgeOfOldestMessage'] } },
  ],
  [
    'dlq-without-alarm',
    letters({}),
    { at: 'dlq', severity: 'high' },
    letters({ dlq: ['NumberOfMessagesSent'] }),
  ],
  ['over-utilised', busy(7.1), { at: 'f', severity: 'medium', measured: 0.71, limit: 0.7 }, busy(6.9)],
  ['over-utilised', busy(8, 4), { severity: 'high', measured: 2 }, { ...busy(8, 4), loads: {} }],
  ['requests-short', quick(0.05), { at: 'f', severity: 'medium', measured: 200, limit: 100 }, quick(0.1)],
  ['requests-short', quick(0.05, 5), { measured: 100, limit: 50 }, quick(0.05, 20)],
  ['fifo-throughput', ordered(211), { at: 'q', severity: 'medium', measured: 211, limit: 300 }, ordered(209)],
  ['fifo-throughput', ordered(301), { severity: 'high' }, ordered(301, false)],
  ['stream-poll-unbounded', streamed(false), { at: 'poll:s>f', severity: 'high' }, streamed(true)],
  [
    'stream-poll-unbounded',
    streamed(true, { attempts: null, maxAge: null }),
    { severity: 'medium', measured: 86_400 },
    streamed(true, { attempts: 5, maxAge: null, bisect: true }),
  ],
  [
    'stream-poll-unbounded',
    streamed(true, { attempts: 5, bisect: false }),
    { severity: 'low', measured: 10 },
    streamed(true, { attempts: 5, bisect: false, batch: 1 }),
  ],
  [
    'rule-matches-nothing',
    matching(['b']),
    { at: 'r', severity: 'medium', measured: 0 },
    matching(['a', 'b']),
  ],
  ['rule-matches-nothing', matching(['b']), {}, matching(['b'], null)],
  [
    'arrivals-untaken',
    coming({ a: 1, b: 2, c: 3 }),
    { at: 'bus', severity: 'medium', measured: 5, limit: 0, unit: 'events a second' },
    coming({ a: 1 }),
  ],
  ['arrivals-untaken', coming({ a: 1 }, node('function', 'to'), false), { measured: 1 }, coming({})],
  ['arrivals-untaken', coming({ a: 1 }, node('queue', 'to')), {}, coming({ a: 1 }, node('table', 'to'))],
  [
    'arrivals-untaken',
    coming({ a: 1 }, node('queue', 'to')),
    { at: 'bus', mend: 'Let something take from to.' },
    coming({ a: 1 }),
  ],
  [
    'arrivals-untaken',
    {
      nodes: [node('schedule', 'clock'), node('queue', 'q')],
      elements: [element('delivery', 'clock', 'q')],
    },
    {
      ...{ at: 'clock', mend: 'Let something take from q.' },
      says: '0.01667/s of any type come from clock, and nothing takes them from q.',
    },
    {
      nodes: [node('schedule', 'clock'), node('function', 'f')],
      elements: [element('delivery', 'clock', 'f')],
    },
  ],
  ['arrivals-untaken', putting('put'), { at: 'b', measured: 1 }, putting('s3:ObjectCreated:Put')],
  [
    'map-unlimited',
    machine({ times: null, concurrency: 40 }, {}, 39),
    { at: 'm#t', measured: 40, limit: 39 },
    machine({ times: null, concurrency: 40 }, {}, 40),
  ],
  [
    'map-unlimited',
    machine({ times: null, concurrency: 0 }, {}, 5),
    { measured: null },
    machine({ times: null }, {}, 1),
  ],
  [
    'workflow-failures-unseen',
    machine({ catches: false }),
    { at: 'm', severity: 'high', measured: 1 },
    machine({}),
  ],
  [
    'workflow-failures-unseen',
    machine({ catches: false }),
    {},
    { ...machine({ catches: false }), watched: { m: ['ExecutionsFailed'] } },
  ],
  [
    'service-alone',
    served({ desired: 1 }),
    { at: 's', severity: 'low', measured: 1 },
    served({ desired: 2 }),
  ],
  ['service-alone', served({ desired: 4, least: 1 }), { measured: 1 }, served({ desired: 0 })],
  [
    'slow-against-timeout',
    { ...busy(5), loads: { service: { f: { mean: 5, scv: 1 } } } },
    { at: 'f', severity: 'medium', limit: 10 },
    { ...busy(5), loads: { service: { f: { mean: 5, scv: 0.01 } } } },
  ],
  [
    'slow-against-timeout',
    { ...busy(5), loads: { service: { f: { mean: 2, scv: 0.01, each: 1 } } } },
    { at: 'f', measured: expect.closeTo(11 * 1.253, 0), limit: 10 },
    { ...busy(5), loads: { service: { f: { mean: 2, scv: 0.01, each: 0.5 } } } },
  ],
])('%s', (rule, shows, as, near) => {
  it('shows, with its numbers', () => {
    const findings = found(rule, shows)
    expect(findings).toMatchObject([as])
    expect(z.array(finding).parse(findings)).toEqual(findings)
  })
  it('not when it is just good enough, or not known', () => {
    expect(found(rule, near)).toEqual([])
  })
})

describe('findings', () => {
  it('each rule is the file of its name', () => {
    const files = readdirSync(import.meta.dirname).filter((file) => !file.endsWith('.unit.test.ts'))
    const others = ['attempts.ts', 'constants.ts', 'facts.ts', 'finding.ts', 'findings.ts', 'raising.ts']
    expect(files.filter((file) => !others.includes(file))).toEqual(
      Object.keys(rules).map((rule) => `${rule}.ts`),
    )
  })

  it('come with the worst first, with name and path', () => {
    const order = ['high', 'medium', 'low']
    const [one, other] = [pushed({ kept: false }), machine({})]
    const findings = all({
      nodes: [...other.nodes, ...one.nodes],
      elements: [...other.elements, ...one.elements],
    })
    expect(new Set(findings.map(({ severity }) => severity)).size).toBeGreaterThan(1)
    expect(findings.map(({ severity }) => severity)).toEqual(
      findings.map(({ severity }) => severity).toSorted((a, b) => order.indexOf(a) - order.indexOf(b)),
    )
    expect(findings[0]).toMatchObject({ name: 'rule → to', path: 'rule' })
  })

  it('lines can be drawn elsewhere by the name of their constant', () => {
    expect(found('over-utilised', busy(6.9), { 'utilisation-warning': 0.6 })).toMatchObject([{ limit: 0.6 }])
  })

  it('an empty mesh has none', () => {
    expect(all({ nodes: [], elements: [] })).toEqual([])
  })
})
