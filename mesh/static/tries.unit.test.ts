import { describe, expect, it } from 'vitest'
import { element, functionNode, meshFrom, node, queueNode } from '../../test/meshes.ts'
import type { MeshElement, MeshNode } from '../model.ts'
import { givenUpOf } from './given-up.ts'
import { attemptsOver, patienceOver, windowOf } from './tries.ts'

const poll = (given = {}) => element('poll', 's', 'f', given)
const delivery = (attempts: number) =>
  element('delivery', 's', 'f', {
    retry: { attempts, interval: 60, backoff: 2, jitter: false, from: 'template' },
    maxAge: 21_600,
  })
const f = functionNode('f')
const givenUpFrom = (from: MeshNode, by: MeshElement) =>
  givenUpOf(meshFrom([from, f, queueNode('d')], [by, element('dead-letter', 's', 'd')]))(by)

describe('of what fails: attempts, and seconds from the first to the last', () => {
  it.each([
    // attempts lie at 0, V … (n-1)V: the last of one is the first
    [{ visibility: 600, maxReceiveCount: 1 }, 1, 0],
    [{ visibility: 60, maxReceiveCount: 5 }, 5, 240],
    // and of those that nothing counts the last before it expires
    [{ visibility: 30, maxReceiveCount: undefined, retention: 100 }, 4, 90],
    [{ visibility: 43_200, maxReceiveCount: 3, retention: 60 }, 1, 0],
    [{ visibility: 0, maxReceiveCount: 3 }, 3, 2],
  ])('a queue of %o: %d, %d s', (settings, attempts, seconds) => {
    expect(attemptsOver(poll(), queueNode('s', settings))).toBe(attempts)
    expect(windowOf(poll(), queueNode('s', settings))).toBe(seconds)
  })

  it.each([
    [{}, 86_400, 86_400],
    [{ attempts: null, maxAge: null }, 86_400, 86_400],
    [{ attempts: 1, maxAge: null }, 1, 0],
    [{ attempts: 11, maxAge: null }, 11, 10],
    [{ attempts: null, maxAge: 60 }, 60, 60],
  ])('a stream whose poller says %o: %d, %d s', (given, attempts, seconds) => {
    expect(attemptsOver(poll(given), node('stream', 's'))).toBe(attempts)
    expect(windowOf(poll(given), node('stream', 's'))).toBe(seconds)
  })

  it('a delivery: until its attempts end', () => {
    expect(windowOf(delivery(3), node('bus', 's'))).toBe(60 + 120)
    expect(windowOf(delivery(1), node('bus', 's'))).toBe(0)
  })

  it.each([
    // due at 0, 60 and 180 s: what is as old as its age is not tried
    [21_600, 3, 180],
    [181, 3, 180],
    [180, 2, 60],
    [120, 2, 60],
    [60, 1, 0],
  ])('a delivery of three attempts whose age is %d s: %d, %d s', (maxAge, attempts, seconds) => {
    const given = { ...delivery(3), maxAge }
    expect(attemptsOver(given, node('topic', 's'))).toBe(attempts)
    expect(windowOf(given, node('topic', 's'))).toBe(seconds)
  })
})

describe('what expires before it is given up', () => {
  it.each([
    // dead-lettered 150 s after it came
    [{ visibility: 30, maxReceiveCount: 5, retention: 151 }, false],
    [{ visibility: 30, maxReceiveCount: 5, retention: 150 }, true],
    [{ visibility: 30, maxReceiveCount: undefined, retention: 86_400 }, true],
  ])('a queue of %o: %s', (settings, expires) => {
    expect(givenUpFrom(queueNode('s', settings), poll())).toBe(expires ? 'dropped' : 'kept')
  })

  it.each([
    [{}, false],
    [{ attempts: null, maxAge: null }, true],
    [{ attempts: 3, maxAge: null }, false],
    [{ attempts: null, maxAge: 60 }, false],
  ])('a stream whose poller says %o: %s', (given, expires) => {
    expect(givenUpFrom(node('stream', 's'), poll(given))).toBe(expires ? 'dropped' : 'kept')
  })
})

describe('of what is not begun with', () => {
  it('a receive that is refused counts, and waiting does not', () => {
    const queue = queueNode('s', { visibility: 60, maxReceiveCount: 5, retention: 3600 })
    expect(patienceOver(poll(), queue, f, true)).toBe(240)
    expect(patienceOver(poll(), queue, f, false)).toBe(3600)
  })

  it('a record of a stream ends by its age, not by refusals', () => {
    const given = { attempts: 1, maxAge: 60 }
    for (const refused of [true, false])
      expect(patienceOver(poll(given), node('stream', 's'), f, refused)).toBe(60)
  })

  it('Lambda tries what it refuses itself until its age; elsewhere a refusal is an attempt', () => {
    expect(patienceOver(delivery(3), node('bus', 's'), f, true)).toBe(21_600)
    expect(patienceOver(delivery(3), node('bus', 's'), queueNode('q'), true)).toBe(180)
    expect(patienceOver(delivery(3), node('bus', 's'), queueNode('q'), false)).toBe(21_600)
  })
})

describe('what fails in a run of an express machine', () => {
  const machine = node('workflow', 's', { flavour: 'EXPRESS' })
  const task = node('task', 'task', { workflow: 's' })
  const sync = { action: 'states:StartSyncExecution' }
  const [pipe, caller] = [node('pipe', 'caller', { enrichment: 's' }), functionNode('caller')]
  it.each<[string, MeshNode, MeshElement[], string]>([
    ['a pipe asks', pipe, [element('invoke', 'caller', 's')], 'answered'],
    ['a function starts and waits for', caller, [element('call', 'caller', 's', sync)], 'answered'],
    [
      'another waits for by its end',
      node('task', 'caller', { integration: 'sync' }),
      [element('call', 'caller', 's')],
      'answered',
    ],
    ['a function starts', caller, [element('call', 'caller', 's')], 'dropped'],
    ['a rule starts', node('rule', 'caller'), [element('delivery', 'caller', 's')], 'dropped'],
    [
      'one waits for and another does not',
      caller,
      [element('call', 'caller', 's', sync), element('delivery', 'rule', 's')],
      'dropped',
    ],
    ['nobody is known to start', caller, [], 'dropped'],
  ])('that %s', (_, from, starts, fate) => {
    const nodes = [from, node('rule', 'rule'), machine, task, f]
    const [begins, asks] = [element('invoke', 's', 'task'), element('invoke', 'task', 'f')]
    const givenUp = givenUpOf(meshFrom(nodes, [...starts, begins, asks]))
    for (const each of [begins, asks]) expect(givenUp(each)).toBe(fate)
  })

  /** A machine whose task starts `s` and waits for it, in so many attempts. */
  const asking = (flavour: 'EXPRESS' | 'STANDARD', attempts = 1) => ({
    nodes: [node('workflow', 'a', { flavour }), node('task', 'start', { workflow: 'a' })],
    elements: [
      element('invoke', 'a', 'start'),
      element('call', 'start', 's', {
        ...sync,
        retry: { attempts, interval: 1, backoff: 1, jitter: false, from: 'template' },
      }),
    ],
  })
  const pushed = element('delivery', 'rule', 'a')
  const asked = element('call', 'caller', 'a', sync)
  it.each<[string, ReturnType<typeof asking>, MeshElement[], string]>([
    ['express a rule starts', asking('EXPRESS'), [pushed], 'dropped'],
    ['express a function waits for', asking('EXPRESS'), [asked], 'answered'],
    ['express a rule starts and a function waits for', asking('EXPRESS'), [asked, pushed], 'dropped'],
    ['express only it starts itself', asking('EXPRESS'), [element('call', 'task', 'a', sync)], 'dropped'],
    ['express tries again', asking('EXPRESS', 2), [pushed], 'answered'],
    ['standard a rule starts', asking('STANDARD'), [pushed], 'kept'],
  ])('that a run waits for whose %s machine', (_, { nodes, elements }, starts, fate) => {
    const [begins, asks] = [element('invoke', 's', 'task'), element('invoke', 'task', 'f')]
    const givenUp = givenUpOf(
      meshFrom(
        [...nodes, caller, node('rule', 'rule'), machine, task, f],
        [...elements, ...starts, begins, asks],
      ),
    )
    for (const each of [begins, asks]) expect(givenUp(each)).toBe(fate)
  })

  it.each([
    [1, 'dropped'],
    [3, 'answered'],
  ])('that a pipe waits for, whose queue hands out %d times', (maxReceiveCount, fate) => {
    const elements = [
      element('poll', 'q', 'pipe'),
      element('invoke', 'pipe', 's'),
      element('invoke', 's', 'task'),
    ]
    const nodes = [queueNode('q', { maxReceiveCount }), node('pipe', 'pipe'), machine, task]
    const [, , begins = poll()] = elements
    expect(givenUpOf(meshFrom(nodes, elements))(begins)).toBe(fate)
  })
})
