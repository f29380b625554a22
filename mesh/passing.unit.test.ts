import { expect, it } from 'vitest'
import * as made from '../test/meshes.ts'
import { load } from './load.ts'
import { type Loads, noLoads } from './loads.ts'
import type { Mesh } from './model.ts'

const { delivery, element, functionNode, invoke, meshFrom, node, poll, queueNode } = made

/** How many go over each way, by where it leads and as what. */
const gains = (mesh: Mesh, arrivals: Loads['arrivals'] = new Map(), sends: Loads['sends'] = []) => {
  const { states, streams } = load(mesh, { ...noLoads, arrivals, sends })
  return Object.fromEntries(
    streams.map(({ to, gain }) => [`${states[to]?.node.id} ${states[to]?.type}`, gain] as const),
  )
}
const into = (door: string, type: string): Loads['arrivals'] => new Map([[door, new Map([[type, 1]])]])
const part = { type: '*', per: null, reads: false, measured: false }

it('what asks more of a message than its type takes nobody knows how much', () => {
  const rule = (narrower: boolean) =>
    meshFrom(
      [node('bus', 'b'), node('rule', 'r', { types: ['t'], narrower }), functionNode('f')],
      [element('delivery', 'b', 'r', { types: ['t'] }), delivery('r', 'f')],
    )
  expect(gains(rule(false), into('b', 't'))).toEqual({ 'r t': 1, 'f t': 1 })
  expect(gains(rule(true), into('b', 't'))).toEqual({ 'r t': 1, 'f t': null })
  // somebody says which part of what comes to the bus it takes
  const told = (type: string) =>
    gains(rule(true), into('b', 't'), [{ ...part, type, from: 'b', to: 'r', ratio: 0.2 }])
  expect(told('t')).toEqual({ 'r t': 0.2, 'f t': 1 })
  expect(told('*')).toEqual({ 'r t': 0.2, 'f t': 1 })
  expect(told('u')).toEqual({ 'r t': 1, 'f t': null })
  const topic = meshFrom(
    [node('topic', 'm'), queueNode('q'), functionNode('f')],
    [
      element('delivery', 'm', 'q', { filtered: true }),
      element('poll', 'q', 'f', { filtered: true, batch: 1 }),
    ],
  )
  expect(gains(topic, into('m', 't'))).toEqual({ 'q t': null, 'f t': null })
  // somebody says of which types it takes all
  const mapping = meshFrom(
    [queueNode('q'), functionNode('f')],
    [element('poll', 'q', 'f', { filtered: true, types: ['t'] })],
  )
  expect(gains(mapping, into('q', 't'))).toEqual({ 'f t': 1 })
  // somebody says how much
  expect(gains(topic, into('m', 't'), [{ ...part, from: 'm', to: 'q', ratio: 0.2 }])['q t']).toBe(0.2)
})

it('a run of a machine comes to each state as often as its definition says', () => {
  const task = (id: string, times: number | null) => node('task', id, { workflow: 'm', times })
  const mesh = meshFrom(
    [node('workflow', 'm'), task('once', 1), task('thrice', 3), task('undo', null), functionNode('f')],
    ['once', 'thrice', 'undo'].map((id) => invoke('m', id)).concat(invoke('once', 'f')),
  )
  const known = { 'once t': 1, 'thrice t': 3, 'undo t': null, 'f t': 1 }
  expect(gains(mesh, into('m', 't'))).toEqual(known)
  // what is said of one is not said of the others: a run goes through all of them
  expect(gains(mesh, into('m', 't'), [{ ...part, from: 'm', to: 'undo', ratio: 0.01 }])).toEqual({
    ...known,
    'undo t': 0.01,
  })
})

it('of several ways of what is no machine, what is said of one is said of all', () => {
  const mesh = meshFrom(
    [node('api', 'a'), functionNode('f'), functionNode('g')],
    [invoke('a', 'f'), invoke('a', 'g')],
  )
  expect(gains(mesh, into('a', 't'))).toEqual({ 'f t': null, 'g t': null })
  expect(gains(mesh, into('a', 't'), [{ ...part, from: 'a', to: 'f', ratio: 1 }])).toEqual({ 'f t': 1 })
})

it('a type that ends in a star is every type that begins so', () => {
  const mesh = meshFrom(
    [node('bucket', 'b'), queueNode('q'), functionNode('f')],
    [element('delivery', 'b', 'q', { types: ['s3:ObjectCreated:*'] }), poll('q', 'f')],
  )
  expect(gains(mesh, into('b', 's3:ObjectCreated:Put'))).toEqual({
    ...{ 'q s3:ObjectCreated:Put': 1, 'f s3:ObjectCreated:Put': 1 },
  })
  expect(gains(mesh, into('b', 's3:ObjectRemoved:Delete'))).toEqual({})
})
