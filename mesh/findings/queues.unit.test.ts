import { describe, expect, it } from 'vitest'
import { element, meshFrom, node, servers } from '../../test/meshes.ts'
import { load } from '../load.ts'
import type { ElementOf, Law, Mesh, NodeOf } from '../model.ts'
import { findingsOf } from './findings.ts'

const found = (rule: string, mesh: Mesh) =>
  findingsOf(load(mesh))
    .filter((finding) => finding.rule === rule)
    .map(({ at, severity, measured, limit }) => ({ at, severity, measured, limit }))

type Change = {
  queue?: Partial<NodeOf<'queue'>['settings']>
  letters?: Partial<NodeOf<'queue'>['settings']>
  handler?: Partial<NodeOf<'function'>['settings']>
  poll?: Partial<ElementOf<'poll'>>
  watched?: Mesh['watched']
}

/** A queue with a function behind it and its dead letters watched: nothing to find but what is changed. */
function consumed({ queue, letters, handler, poll, watched }: Change = {}): Mesh {
  const mesh = meshFrom(
    [
      node('queue', 'q', { visibility: 60, ...queue }),
      node('queue', 'dlq', { deadLetters: true, retention: 1_209_600, ...letters }),
      node('function', 'f', handler),
      node('bus', 'bus'),
    ],
    [
      element('call', 'bus', 'q'),
      element('poll', 'q', 'f', poll),
      element('dead-letter', 'q', 'dlq', { of: 'poll' }),
    ],
  )
  return { ...mesh, watched: watched ?? { dlq: ['ApproximateNumberOfMessagesVisible'] } }
}

const onceMore = (mesh: Mesh, more: Partial<Mesh>): Mesh => ({
  ...mesh,
  ...more,
  nodes: [...mesh.nodes, ...(more.nodes ?? [])],
  elements: [...mesh.elements, ...(more.elements ?? [])],
})

const most = (n: number): Partial<ElementOf<'poll'>> => ({ laws: [servers(n)] })
const unreserved: Law[] = [servers(1000, 'refuse', 'account')]
const called = (mesh: Mesh): Mesh =>
  onceMore(mesh, {
    nodes: [node('api', 'door'), node('function', 'front', {}, unreserved)],
    elements: [element('invoke', 'door', 'front')],
  })
/** The handler shares what the account has. */
const sharing = (mesh: Mesh): Mesh => ({
  ...mesh,
  nodes: mesh.nodes.map((one) => (one.id === 'f' ? { ...one, laws: unreserved } : one)),
})
const without = (mesh: Mesh, id: string): Mesh => ({
  ...mesh,
  elements: mesh.elements.filter((one) => one.id !== id),
})
const bare = { maxReceiveCount: undefined }
const noPolicy = (mesh: Mesh): Mesh => ({
  ...without(mesh, 'dead-letter:q>dlq'),
  nodes: mesh.nodes.map((one) =>
    one.id === 'q' && one.kind === 'queue' ? { ...one, settings: { ...one.settings, ...bare } } : one,
  ),
})

describe('a queue that is as it should be', () => {
  it('has no finding, and its handler none either: its dead letters are watched', () => {
    expect(findingsOf(load(consumed()))).toEqual([])
  })
})

describe.each<[string, Mesh, object, Mesh]>([
  [
    'visibility-short',
    consumed({ queue: { visibility: 59 }, poll: { window: 1 } }),
    { at: 'q', severity: 'medium', measured: 59, limit: 61 },
    consumed({ queue: { visibility: 61 }, poll: { window: 1 } }),
  ],
  [
    'visibility-short',
    consumed({ queue: { visibility: 9 } }),
    { at: 'q', severity: 'high', measured: 9 },
    consumed({ queue: { visibility: 9 }, poll: { enabled: false } }),
  ],
  [
    'few-receives',
    consumed({ queue: { maxReceiveCount: 2 } }),
    { at: 'q', severity: 'medium', measured: 2, limit: 3 },
    consumed({ queue: { maxReceiveCount: 3 } }),
  ],
  ['few-receives', consumed({ queue: { maxReceiveCount: 1 } }), { severity: 'high' }, consumed()],
  [
    'no-redrive',
    noPolicy(consumed()),
    { at: 'q', severity: 'high', measured: 0, limit: 1 },
    without(noPolicy(consumed()), 'poll:q>f'),
  ],
  [
    'dlq-retention',
    consumed({ letters: { retention: 345_600 } }),
    { at: 'dlq', severity: 'medium', measured: 345_600, limit: 345_600 },
    consumed({ letters: { retention: 345_601 } }),
  ],
  [
    'dlq-retention',
    consumed({ letters: { retention: 60 } }),
    { at: 'dlq', severity: 'high' },
    consumed({ queue: { fifo: true }, letters: { fifo: true, retention: 60 } }),
  ],
  [
    'dlq-without-alarm',
    consumed({ watched: { dlq: ['NumberOfMessagesSent'], q: ['ApproximateAgeOfOldestMessage'] } }),
    { at: 'dlq', severity: 'high', measured: 0 },
    consumed({ watched: { dlq: ['NumberOfMessagesSent', 'ApproximateAgeOfOldestMessage'] } }),
  ],
  [
    'no-partial-batch',
    consumed({ poll: { partialBatch: false, batch: 2 } }),
    { at: 'poll:q>f', severity: 'medium', measured: 2 },
    consumed({ poll: { partialBatch: false, batch: 1 } }),
  ],
  [
    'concurrency-short',
    consumed({ handler: { reserved: 4 }, poll: most(5) }),
    { at: 'f', severity: 'medium', measured: 5, limit: 4 },
    consumed({ handler: { reserved: 5 }, poll: most(5) }),
  ],
  [
    'concurrency-short',
    consumed({ queue: { maxReceiveCount: 2 }, handler: { reserved: 1 }, poll: most(2) }),
    { at: 'f', severity: 'high', limit: 1 },
    consumed({ handler: { reserved: 0 }, poll: most(2) }),
  ],
  [
    'function-off',
    consumed({ handler: { reserved: 0 } }),
    { at: 'f', severity: 'high', measured: 0, limit: 1 },
    consumed({ handler: { reserved: 0 }, poll: { enabled: false } }),
  ],
  [
    'expires-before-dead-letter',
    consumed({ queue: { visibility: 43_200, retention: 216_000 } }),
    { at: 'q', severity: 'high', measured: 216_000, limit: 216_000 },
    consumed({ queue: { visibility: 43_200, retention: 216_001 } }),
  ],
  [
    'retention-short',
    consumed({ queue: { retention: 3600 } }),
    { at: 'q', severity: 'medium', measured: 3600, limit: 86_400 },
    consumed({ queue: { retention: 86_400 } }),
  ],
  [
    'consumers-compete',
    onceMore(consumed(), { nodes: [node('function', 'g')], elements: [element('poll', 'q', 'g')] }),
    { at: 'q', severity: 'medium', measured: 2, limit: 1 },
    onceMore(consumed(), {
      nodes: [node('function', 'g')],
      elements: [element('poll', 'q', 'g', { enabled: false })],
    }),
  ],
  [
    'consumers-compete',
    onceMore(consumed(), {
      nodes: [node('function', 'g')],
      elements: [element('poll', 'q', 'g', { filtered: true })],
    }),
    { severity: 'high' },
    consumed({ poll: { filtered: true } }),
  ],
  [
    'dlq-consumed',
    onceMore(consumed(), { elements: [element('poll', 'dlq', 'f')] }),
    { at: 'dlq', severity: 'low', measured: 1, limit: 0 },
    onceMore(consumed(), { elements: [element('poll', 'dlq', 'f', { enabled: false })] }),
  ],
  [
    'dlq-consumed',
    onceMore(consumed({ letters: { maxReceiveCount: undefined }, watched: {} }), {
      elements: [element('poll', 'dlq', 'f')],
    }),
    { at: 'dlq', severity: 'high' },
    consumed({ letters: { maxReceiveCount: undefined } }),
  ],
  [
    'queue-without-consumer',
    without(consumed(), 'poll:q>f'),
    { at: 'q', severity: 'medium', measured: 0 },
    without(without(consumed(), 'poll:q>f'), 'call:bus>q'),
  ],
  [
    'shared-concurrency',
    called(sharing(consumed({ poll: most(1000) }))),
    { at: 'f', severity: 'low', measured: 1000, limit: 1000 },
    called(sharing(consumed({ poll: most(999) }))),
  ],
  [
    'shared-concurrency',
    called(sharing(consumed({ poll: most(1250) }))),
    { at: 'f', measured: 1250 },
    sharing(consumed({ poll: most(1250) })),
  ],
])('%s', (rule, shows, as, near) => {
  it('shows, with its numbers', () => {
    expect(found(rule, shows)).toMatchObject([as])
  })
  it('not when it is just good enough, or switched off', () => {
    expect(found(rule, near)).toEqual([])
  })
})
