import { expect, it } from 'vitest'
import { element, loadedWith, meshFrom, node, scaling, servers, tokens } from '../../test/meshes.ts'
import type { Law, MeshElement, MeshNode } from '../model.ts'
import { findingsOf } from './findings.ts'

type Laid = { at: MeshNode; more?: MeshNode[]; elements?: MeshElement[]; rate: number; mean?: number }

const mendOf = (rule: string, { at, more = [], elements = [], rate, mean }: Laid) => {
  const mesh = meshFrom([at, ...more], elements)
  const times = mean === undefined ? {} : { [more[0]?.id ?? at.id]: mean }
  return findingsOf(loadedWith(mesh, { [at.id]: rate }, times)).find((found) => found.rule === rule)?.mend
}
const by = (from: string, law: Law): Law => ({ ...law, from })
const polled = (source: MeshNode, laws: Law[], rate: number): Laid => ({
  ...{ at: source, more: [node('function', 'f')], elements: [element('poll', 's', 'f', { laws, batch: 1 })] },
  ...{ rate, mean: 1 },
})
const pool = {
  ...tokens(400, 400, 'refuse', 'PutEvents'),
  shared: 'eventbridge-put-events/region',
  from: 'eventbridge-put-events',
}
const requests = { ...tokens(100, 0), shared: 'lambda-requests/region' }
const provisioned = { billing: 'provisioned' } as const

it.each<[string, Laid, string]>([
  [
    'shards',
    { at: node('stream', 's', { shards: 1 }, [tokens(1000, 0)]), rate: 1500 },
    'Give s 3 shards in the place of 1',
  ],
  [
    'a stream on demand',
    { at: node('stream', 's', {}, [tokens(4000, 0)]), rate: 3500 },
    'Let what comes to s grow slowly, for on demand it takes twice its peak of the last 30 days, or provision shards for 5000 requests a second',
  ],
  [
    'reserved',
    { at: node('function', 'f', { reserved: 10 }, [servers(10, 'refuse')]), rate: 9, mean: 1 },
    'Reserve 13 for f',
  ],
  [
    'reserved beyond what the account has to reserve',
    { at: node('function', 'f', { reserved: 800 }, [servers(800, 'refuse')]), rate: 1000, mean: 1 },
    "Reserve 1429 for f, once AWS has raised the account's concurrency by 529 (of 1000 it has 900 to reserve for it)",
  ],
  [
    'reserved beside what another has',
    {
      at: node('function', 'f', { reserved: 80 }, [tokens(800, 0)]),
      ...{ more: [node('function', 'g', { reserved: 790 })], rate: 1000 },
    },
    "Reserve 143 for f, once AWS has raised the account's concurrency by 33 (of 1000 it has 110 to reserve for it)",
  ],
  [
    'requests of what is reserved',
    { at: node('function', 'f', { reserved: 10 }, [tokens(100, 0)]), rate: 90 },
    'Reserve 13 for f',
  ],
  [
    'the concurrency of the account',
    {
      at: node('function', 'f', {}, [servers(10, 'refuse', 'lambda-concurrency/region')]),
      ...{ rate: 9, mean: 1 },
    },
    "Have AWS raise the account's concurrency by 3",
  ],
  [
    'the requests of the account',
    { at: node('function', 'f', {}, [requests]), rate: 90 },
    "Have AWS raise the account's concurrency by 3",
  ],
  [
    'a quota of the account',
    { at: node('bus', 'b', {}, [pool]), rate: 300 },
    'Have AWS raise the quota eventbridge-put-events to 429 PutEvents a second',
  ],
  [
    'provisioned units',
    { at: node('table', 't', provisioned, [tokens(5, 0, 'refuse', 'writes')]), rate: 4 },
    'Provision 6 writes a second for t, or bill it on demand',
  ],
  [
    'a new table',
    {
      at: node('table', 't', {}, [by('dynamodb-new-table-writes', tokens(4000, 0, 'refuse', 'writes'))]),
      rate: 3500,
    },
    'Warm t up to 5000 writes a second (WarmThroughput) before they come',
  ],
  [
    'a table with a maximum',
    { at: node('table', 't', {}, [tokens(5, 0, 'refuse', 'writes')]), rate: 4 },
    'Raise the limit of t (template) to 6 writes a second',
  ],
  [
    'tasks',
    { at: node('service', 's', { desired: 2, most: 3 }, [servers(30)]), rate: 29, mean: 1 },
    'Let s run up to 5 tasks',
  ],
  ['a poll', polled(node('queue', 's'), [servers(10)], 8), 'Set the maximum concurrency of s → f to 12'],
  [
    'a poll beyond what is set',
    polled(node('queue', 's'), [by('lambda-sqs-most', servers(1250))], 900),
    'Let s → f have up to 129 provisioned pollers (ProvisionedPollerConfig)',
  ],
  [
    'provisioned pollers',
    polled(node('queue', 's'), [servers(20), by('lambda-poller-per-minute', scaling(20, 1000, 20))], 15),
    'Let s → f have up to 3 provisioned pollers (ProvisionedPollerConfig)',
  ],
  [
    'a poll of a stream',
    polled(node('stream', 's'), [servers(1)], 0.8),
    'Let s → f take up to 2 at once, by a larger ParallelizationFactor (10 at most) or more shards of s',
  ],
])('room is made where it can be, in whole numbers: %s', (_, laid, mend) => {
  expect(mendOf('over-utilised', laid)).toBe(`${mend}, or bring it less or shorter work.`)
})

it('what is in flight of a queue is spread over more of them', () => {
  const laid = polled(node('queue', 's', {}, [servers(120)]), [], 130)
  expect(mendOf('over-utilised', laid)).toMatch(/^Spread what s takes over 2 queues, or ask AWS for more/)
})

it.each<[string, MeshNode[], MeshElement[], string]>([
  [
    'a function behind a bucket',
    [node('bucket', 'a'), node('function', 'z')],
    [element('delivery', 'a', 'z'), element('call', 'z', 'a')],
    'let z ignore what it has caused itself, or narrow what leads back to it.',
  ],
  [
    'a function behind a machine',
    [node('workflow', 'a'), node('function', 'z')],
    [element('invoke', 'a', 'z'), element('call', 'z', 'a')],
    'let z ignore what it has caused itself, or narrow what leads back to it.',
  ],
  [
    'nobody’s code',
    [node('bus', 'a'), node('rule', 'z')],
    [element('delivery', 'a', 'z'), element('delivery', 'z', 'a')],
    'narrow what leads back to it.',
  ],
])('a loop is broken by what runs code: %s', (_, nodes, elements, mend) => {
  const found = findingsOf(loadedWith(meshFrom(nodes, elements), { a: 1 }, {}))
  expect(found.find(({ rule }) => rule === 'loop-gain')?.mend).toBe(`Break the loop: ${mend}`)
})

const slow = (mean: number, timeout: number, batch?: number) =>
  mendOf('slow-against-timeout', {
    ...{ at: node('queue', 'q'), more: [node('function', 'f', { timeout })], rate: 0.001, mean },
    elements: batch === undefined ? [] : [element('poll', 'q', 'f', { batch })],
  })
it('a function is given more time as long as there is more, and smaller batches where it has any', () => {
  // scv 1: exp(σ·2.3263 - σ²/2), σ² = ln 2: 4.905 times the mean
  expect(slow(10, 10)).toBe('Set the timeout of f above 50 s.')
  expect(slow(10, 10, 1)).toBe('Set the timeout of f above 50 s.')
  expect(slow(10, 10, 10)).toBe('Set the timeout of f above 50 s, or give it smaller batches.')
  expect(slow(400, 900, 1)).toBe(
    'Split the work of f or hand it to a workflow, as no function goes on after 900 s.',
  )
})

it.each([
  ['AWS::Lambda::Url', 'Url5xxCount'],
  ['AWS::ElasticLoadBalancingV2::LoadBalancer', 'HTTPCode_ELB_5XX_Count'],
  ['AWS::ApiGatewayV2::Api', '5xx'],
])('the alarm of an api is on what AWS counts of it: %s, %s', (type, metric) => {
  const api = { ...node('api', 'a'), type }
  const mesh = meshFrom([api, node('function', 'f')], [element('invoke', 'a', 'f')])
  const mends = (watched: Record<string, string[]>) =>
    findingsOf(loadedWith({ ...mesh, watched }, { a: 1 }, {}))
      .filter(({ rule, at }) => rule === 'dominator-without-alarm' && at === 'a')
      .map(({ mend }) => mend)
  expect(mends({})).toEqual([`Set an alarm on ${metric} of a.`])
  // that of an address is counted of its function
  expect(mends(type === 'AWS::Lambda::Url' ? { f: [metric] } : { a: [metric] })).toEqual([])
})

it('a function that is tried once drops what fails once, and not 1 times', () => {
  const says = (attempts: number) => {
    const pushed = element('delivery', 'r', 'f', {
      ...{ kept: false, retry: { attempts, interval: 0, backoff: 1, jitter: false, from: 'template' } },
    })
    const mesh = meshFrom([node('rule', 'r'), node('function', 'f')], [pushed])
    return findingsOf(loadedWith(mesh, { r: 1 }, {})).find(({ rule }) => rule === 'async-without-destination')
      ?.says
  }
  expect(says(1)).toContain('and what fails once in it is dropped')
  expect(says(3)).toContain('and what fails 3 times in it is dropped')
})
