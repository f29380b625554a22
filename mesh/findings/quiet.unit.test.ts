import { expect, it } from 'vitest'
import { element, meshFrom, node } from '../../test/meshes.ts'
import { load } from '../load.ts'
import { parseLoads } from '../loads.ts'
import type { Mesh } from '../model.ts'
import { findingsOf } from './findings.ts'

const found = (rule: string, mesh: Mesh, loads: object = {}) =>
  findingsOf(load(mesh, parseLoads('rates.json', { version: 1, ...loads }, mesh))).filter(
    (one) => one.rule === rule,
  )

it.each([
  ['states:StartExecution', 'request', 1],
  ['states:StartSyncExecution', 'request', 0],
  ['states:StartExecution', 'sync', 0],
  ['states:StartExecution', 'token', 1],
] as const)('%s of a task (%s): failures of the run are unseen %d times', (action, integration, times) => {
  const mesh = meshFrom(
    [
      node('task', 'caller', { integration }),
      node('workflow', 'm'),
      node('task', 'm#t', { workflow: 'm', catches: false }),
    ],
    [element('call', 'caller', 'm', { action }), element('invoke', 'm', 'm#t')],
  )
  expect(found('workflow-failures-unseen', mesh)).toHaveLength(times)
})

it('a record that is given up holds its shard up no longer, and the mend asks for what is not there', () => {
  const mesh = meshFrom(
    [node('stream', 's'), node('function', 'f')],
    [element('poll', 's', 'f', { attempts: 3, maxAge: null, bisect: true })],
  )
  const [one] = found('stream-poll-unbounded', mesh)
  expect(one?.says).toContain('for 3 attempts, at most 86400 s, and is lost then')
  expect(one?.mend).toBe('Give s → f an on-failure destination.')
})

it.each([
  ['from outside', [], { arrivals: { q: { x: 5 } } }],
  ['by 1', [element('call', 'g', 'q')], {}],
])('a queue whose only poll is off and that is filled %s has no consumer', (by, more, loads) => {
  const of = (enabled: boolean) =>
    meshFrom(
      [node('queue', 'q'), node('function', 'f'), node('function', 'g')],
      [element('poll', 'q', 'f', { enabled }), ...more],
    )
  expect(found('queue-without-consumer', of(true), loads)).toEqual([])
  expect(found('queue-without-consumer', of(false), loads)).toMatchObject([
    { at: 'q', says: expect.stringContaining(`filled ${by}, and what polls it is switched off`) },
  ])
})

it('what a clock begins is none of what comes in', () => {
  const mesh = meshFrom(
    [node('schedule', 'clock', { perSecond: 100 }), node('function', 'sweep')].concat(
      ['a', 'b'].flatMap((name) => [node('queue', `${name}-q`), node('function', name)]),
    ),
    [element('delivery', 'clock', 'sweep'), element('poll', 'a-q', 'a'), element('poll', 'b-q', 'b')],
  )
  const loads = { arrivals: { 'a-q': { x: 1 }, 'b-q': { y: 1 } } }
  expect(found('flow-through-one', mesh, loads)).toEqual([])
})
