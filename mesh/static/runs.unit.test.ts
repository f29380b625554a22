// biome-ignore-all lint/suspicious/noTemplateCurlyInString: CloudFormation writes references so
import { describe, expect, it } from 'vitest'
import { arnOf, lambda, meshIn, queue } from '../../test/mesh-in-template.ts'
import { loadedWith } from '../../test/meshes.ts'
import type { Loads } from '../loads.ts'
import { analyseStatic } from './analyse.ts'
import { longer } from './times.ts'

const Resource = 'arn:aws:states:::lambda:invoke'
const call = (name: string, more: object = {}) => ({
  ...{ Type: 'Task', Resource, Arguments: { FunctionName: `\${${name}}` }, TimeoutSeconds: 60, ...more },
})
const send = (more: object = {}) => ({
  ...{ Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMessage', Arguments: { QueueUrl: '${Q}' }, ...more },
})
const one = (name: string, state: object) => ({ StartAt: name, States: { [name]: state } })

const refs = (...names: string[]) => Object.fromEntries(names.map((name) => [name, { Ref: name }]))
const machine = (Definition: object, more: object = {}) => ({
  Type: 'AWS::StepFunctions::StateMachine',
  Properties: { Definition, DefinitionSubstitutions: refs('A', 'B', 'C', 'Q', 'N'), ...more },
})
const poll = {
  Type: 'AWS::Lambda::EventSourceMapping',
  Properties: { EventSourceArn: arnOf('Q'), FunctionName: { Ref: 'G' }, BatchSize: 1 },
}
const others = { A: lambda, B: lambda, C: lambda, G: lambda, Q: queue, P: poll }

type Given = { service?: Record<string, number>; more?: object; loads?: Partial<Loads> }
/** The delay of the way that ends at a node, of what comes to the machine M, and of what it is at least. */
function delayTo(end: string, Definition: object, { service = {}, more = {}, loads = {} }: Given = {}) {
  const mesh = meshIn({ ...others, N: queue, M: machine(Definition), ...more })
  const times = Object.entries({ A: 2, B: 3, C: 7, G: 0, ...service }).map(([id, mean]) => [`s/${id}`, mean])
  const { paths } = analyseStatic(loadedWith(mesh, { 's/M': 0.001 }, Object.fromEntries(times), loads))
  const found = paths.filter(({ nodes }) => nodes.at(-1) === `s/${end}`)
  const [way] = found
  if (way === undefined || found.length > 1) throw new Error(`${found.length} ways end at ${end}`)
  return [Number(way.delay?.mean.toFixed(9)), way.untimed]
}

/** Seconds that a message of the queue Q is on its way, beside what it waits for. */
const onQueue = Number(delayTo('G', one('Send', send()))[0])

describe('a way over a task has waited for', () => {
  it('all states before it: ten of five seconds and a Wait of two minutes', () => {
    const names = Array.from({ length: 10 }, (_, place) => `S${place}`)
    const Next = (place: number) => (place === 4 ? 'W' : place === 9 ? 'Send' : `S${place + 1}`)
    const definition = {
      StartAt: 'S0',
      States: {
        ...Object.fromEntries(names.map((name, place) => [name, call('A', { Next: Next(place) })])),
        W: { Type: 'Wait', Seconds: 120, Next: 'S5' },
        Send: send(),
      },
    }
    const [delay, untimed] = delayTo('G', definition, { service: { A: 5 } })
    expect(delay).toBeCloseTo(170 + onQueue, 8)
    expect(untimed).toEqual([])
  })

  it('the longest branch of a Parallel, and a Map as often as it must', () => {
    // three rounds of two at once
    const each = (name: string) => ({
      ...{ Type: 'Map', Items: [1, 2, 3, 4, 5], MaxConcurrency: 2 },
      ItemProcessor: one('I', call(name)),
    })
    const branches = [
      { StartAt: 'P1', States: { P1: call('A', { Next: 'P2' }), P2: call('B') } },
      one('P3', call('C')),
    ]
    const definition = {
      StartAt: 'Both',
      States: {
        Both: { Type: 'Parallel', Branches: branches, Next: 'Each' },
        Each: { ...each('A'), Next: 'Last' },
        Last: send(),
      },
    }
    expect(delayTo('B', definition)).toEqual([5, []])
    expect(delayTo('C', definition)).toEqual([7, []])
    // of two and three exponential seconds, and seven: all three less the shorter, 3/(1/3 + 1/7) - 2/(1/2 + 1/7)
    const longest = 5 + 7 - (3 / (1 / 3 + 1 / 7) - 2 / (1 / 2 + 1 / 7))
    const [delay, untimed] = delayTo('G', definition)
    expect(Math.abs(Number(delay) - 3 * 2 - onQueue - longest) / longest).toBeLessThan(0.05)
    expect(untimed).toEqual([])
    // 0.8 · 7 s before its own: of five items two wait for none, two for one, one for two
    expect(delayTo('C', one('Each', each('C')))).toEqual([12.6, []])
  })

  it('attempts that fail before one goes well', () => {
    const Retry = [
      { ErrorEquals: ['States.ALL'], MaxAttempts: 1, IntervalSeconds: 4, JitterStrategy: 'NONE' },
    ]
    const States = { One: call('A', { Retry, Next: 'Two' }), Two: call('B') }
    // of what goes well one in three by the second of two attempts, 2 s and 4 s later
    expect(
      delayTo('B', { StartAt: 'One', States }, { loads: { failures: new Map([['s/A', 0.5]]) } }),
    ).toEqual([Number((2 + 6 / 3 + 3).toFixed(9)), []])
  })

  it('another machine that a task waits for, but not one that it only starts', () => {
    const inner = { StartAt: 'X', States: { X: call('C', { Next: 'Y' }), Y: { Type: 'Wait', Seconds: 11 } } }
    const start = (Resource: string) => ({
      StartAt: 'Start',
      States: {
        Start: { Type: 'Task', Resource, Arguments: { StateMachineArn: '${X}' }, Next: 'Then' },
        Then: call('A'),
      },
    })
    const of = (Resource: string) => ({
      more: { X: machine(inner), M: machine(start(Resource), { DefinitionSubstitutions: refs('A', 'X') }) },
    })
    const sync = 'arn:aws:states:::states:startExecution.sync:2'
    expect(delayTo('A', {}, of(sync))).toEqual([18 + 2, []])
    expect(delayTo('C', {}, of(sync))).toEqual([7, []])
    expect(delayTo('A', {}, of('arn:aws:states:::states:startExecution'))).toEqual([2, []])
  })
})

describe('the time of a task', () => {
  const States = { One: call('A', { Next: 'Two' }), Two: call('B') }
  const definition = { StartAt: 'One', States }

  it('is that of what it calls and waits for, or the whole that is given', () => {
    expect(delayTo('B', definition)).toEqual([5, []])
    expect(delayTo('B', definition, { service: { 'M#One': 2 } })).toEqual([5, []])
    expect(delayTo('B', definition, { service: { 'M#One': 9 } })).toEqual([12, []])
    // it cannot end before its function does
    expect(delayTo('B', definition, { service: { 'M#One': 0.001 } })).toEqual([5, []])
    expect(delayTo('A', definition, { service: { 'M#One': 9 } })).toEqual([2, []])
  })

  it('is not that of a function that it does not wait for', () => {
    const Arguments = { FunctionName: '${A}', InvocationType: 'Event' }
    expect(
      delayTo('B', { StartAt: 'One', States: { ...States, One: call('A', { Arguments, Next: 'Two' }) } }),
    ).toEqual([3, []])
  })

  it('with a token is known only when it is given, and what asks has left before', () => {
    const ask = send({ Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken', Next: 'Two' })
    const asking = { StartAt: 'Ask', States: { Ask: ask, Two: call('B') } }
    expect(delayTo('B', asking)).toEqual([3, ['s/M#Ask']])
    expect(delayTo('B', asking, { service: { 'M#Ask': 3600 } })).toEqual([3603, []])
    expect(delayTo('G', asking, { service: { 'M#Ask': 3600 } })).toEqual([onQueue, []])
  })
})

it('what is said of a machine as a whole is sent when the task sends that alone sends there', () => {
  const to = { from: 's/M', to: 's/Q', type: 't', per: null, ratio: 1, reads: false, measured: false }
  const States = { One: call('A', { Next: 'Two' }), Two: send({ Next: 'Three' }), Three: call('B') }
  const sends = { loads: { sends: [to] } }
  const whole = Number((2 + onQueue).toFixed(9))
  expect(delayTo('G', { StartAt: 'One', States }, sends)).toEqual([whole, []])
  const twice = { ...States, Three: send() }
  expect(delayTo('G', { StartAt: 'One', States: twice }, sends)).toEqual([whole, ['s/M']])
  expect(delayTo('G', one('One', call('A')), sends)).toEqual([onQueue, ['s/M']])
})

it('the longer of two times is that of constants, and of exponentials nearly', () => {
  const [four, nine] = [
    { mean: 4, variance: 0 },
    { mean: 9, variance: 0 },
  ]
  expect(longer(four, nine)).toEqual(nine)
  // 1 + 1/2
  const exponential = { mean: 1, variance: 1 }
  const both = longer(exponential, exponential)
  expect(Math.abs(both.mean / 1.5 - 1)).toBeLessThan(0.05)
  // max(7, an exponential of 5) = 7 + 5 exp(-7/5)
  const mixed = longer({ mean: 7, variance: 0 }, { mean: 5, variance: 25 })
  expect(Math.abs(mixed.mean / (7 + 5 * Math.exp(-7 / 5)) - 1)).toBeLessThan(0.02)
})

it('a report says what the time of state machines leaves out', () => {
  const W = { Type: 'Wait', SecondsPath: '$.seconds', Next: 'Two' }
  const definition = { StartAt: 'One', States: { One: call('A', { Next: 'W' }), W, Two: call('B') } }
  expect(delayTo('B', definition)).toEqual([5, ['s/M#Two']])
  const { assumptions } = analyseStatic(
    loadedWith(meshIn({ ...others, N: queue, M: machine(definition) }), { 's/M': 1 }, {}),
  )
  expect(assumptions).toContain(
    'Before 1 tasks of state machines it is not known how often W run or how long they take: the ways over these tasks take at least what is told.',
  )
})
