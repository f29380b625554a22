import { describe, expect, it } from 'vitest'
import { arnOf, lambda, meshIn, queue } from '../../test/mesh-in-template.ts'
import { functionNode, meshFrom, poll, queueNode } from '../../test/meshes.ts'
import { findingsOf } from '../findings/findings.ts'
import { load } from '../load.ts'
import { parseLoads } from '../loads.ts'
import { acceptedOf, settled } from './accepted.ts'
import { comprehensive } from './analyse.ts'

const node = queueNode('Q', { maxReceiveCount: undefined })
const mesh = meshFrom([node, functionNode('F')], [poll('Q', 'F')])
const all = findingsOf(load(mesh))
const [first] = all
const because = 'it is known'
const under = (accepted: unknown) => load(mesh, parseLoads('mesh.yaml', { version: 1, accepted }, mesh))
const read = (accepted: unknown) => acceptedOf(under(accepted))

it('a finding may be accepted: it is apart, and caps nothing', () => {
  if (first === undefined) throw new Error('no finding to accept')
  const accepted = read([{ rule: first.rule, at: first.name, because }])
  const found = settled(all, accepted)
  expect(found.accepted).toEqual([{ ...first, because }])
  expect(found.findings).toEqual(all.filter((one) => one !== first))
  expect(found.needless).toEqual([])
  const high = (given: unknown) => comprehensive(under(given)).score.caps
  const everything = all.map(({ rule, at }) => ({ rule, at, because }))
  expect([high([]).length, high(everything).length]).toEqual([1, 0])
})

it('what is accepted and not found any more is told', () => {
  const accepted = read([{ rule: 'map-unlimited', at: 'Q → F', because }])
  expect(settled(all, accepted)).toEqual({
    findings: all,
    accepted: [],
    needless: [{ rule: 'map-unlimited', at: 'Q → F', because }],
  })
})

it.each<[unknown, RegExp]>([
  [
    [{ rule: 'no-such', at: 'Q', because }],
    /mesh\.yaml: accepted\.0\.rule: there is no rule no-such, only api-timeout/,
  ],
  [[{ rule: 'no-redrive', at: 'P', because }], /accepted\.0\.at: there is no node, element or limit P/],
  [[{ rule: 'no-redrive', at: 'Q → G', because }], /limit Q → G; near it: Q → F\. loadpath/],
  [[{ rule: 'no-redrive', at: 'Q', because: '' }], /accepted\.0\.because: say why/],
  [[{ rule: 'no-redrive', at: 'Q' }], /accepted\.0\.because/],
])('%j is an error that says where', (accepted, says) => {
  expect(() => read(accepted)).toThrow(says)
})

describe('what a resource declares', () => {
  const resources = (accepted?: unknown, beside?: unknown) => ({
    Q: { ...queue, ...(accepted !== undefined && { Metadata: { mesh: { accepted } } }) },
    F: { ...lambda, ...(beside !== undefined && { Metadata: { mesh: { accepted: beside } } }) },
    M: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { EventSourceArn: arnOf('Q'), FunctionName: { Ref: 'F' } },
    },
  })
  const report = (...given: Parameters<typeof resources>) => comprehensive(load(meshIn(resources(...given))))
  const open = report().findings

  it('is accepted wherever its template is analysed, without any file', () => {
    const { findings, accepted, needless } = report([{ rule: 'no-redrive', because }])
    const [mine] = open.filter(({ rule }) => rule === 'no-redrive')
    expect(mine).toMatchObject({ at: 's/Q' })
    expect(accepted).toEqual([{ ...mine, because }])
    expect(findings).toEqual(open.filter((one) => one !== mine))
    expect(needless).toEqual([])
  })

  it('may name what it is found at, and needs to where it is found at none of its own', () => {
    const polled = { rule: 'no-partial-batch', because }
    expect(open).toContainEqual(expect.objectContaining({ rule: 'no-partial-batch', at: 'poll:s/Q>s/F' }))
    expect(report(undefined, [{ ...polled, at: 'Q → F' }]).accepted).toMatchObject([{ at: 'poll:s/Q>s/F' }])
    const mapping = resources().M
    expect(() =>
      meshIn({ ...resources(), M: { ...mapping, Metadata: { mesh: { accepted: [polled] } } } }),
    ).toThrow(/Resources\.M\.Metadata\.mesh\.accepted\.0\.at: a AWS::Lambda::EventSourceMapping is no node/)
  })

  it('and is not found any more is told', () => {
    expect(report([{ rule: 'dlq-consumed', because }]).needless).toEqual([
      { rule: 'dlq-consumed', at: 's/Q', because },
    ])
  })

  it('is held together with what a file accepts', () => {
    const declared = meshIn(resources([{ rule: 'no-redrive', because }]))
    const file = { version: 1, accepted: [{ rule: 'no-partial-batch', at: 'Q → F', because: 'of a file' }] }
    const { accepted } = comprehensive(load(declared, parseLoads('mesh.yaml', file, declared)))
    expect(accepted.map((one) => [one.rule, one.because])).toEqual(
      expect.arrayContaining([
        ['no-redrive', because],
        ['no-partial-batch', 'of a file'],
      ]),
    )
  })

  it.each<[unknown, RegExp]>([
    [
      [{ rule: 'no-such', because }],
      /^s: Resources\.Q\.Metadata\.mesh\.accepted\.0\.rule: there is no rule no-such, only/,
    ],
    [
      [{ rule: 'no-redrive', at: 'P', because }],
      /^s: Resources\.Q\.Metadata\.mesh\.accepted\.0\.at: there is no node, element or limit P/,
    ],
    [[{ rule: 'no-redrive' }], /Resources\.Q\.Metadata\.mesh\.accepted\.0\.because/],
  ])('%j is an error that says where', (accepted, says) => {
    expect(() => report(accepted)).toThrow(says)
  })
})
