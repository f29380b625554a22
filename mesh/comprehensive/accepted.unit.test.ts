import { expect, it } from 'vitest'
import { functionNode, meshFrom, poll, queueNode } from '../../test/meshes.ts'
import { findingsOf } from '../findings/findings.ts'
import { load } from '../load.ts'
import { parseLoads } from '../loads.ts'
import { acceptedOf, settled } from './accepted.ts'
import { comprehensive } from './analyse.ts'

const node = queueNode('Q', { maxReceiveCount: undefined })
const mesh = meshFrom([node, functionNode('F')], [poll('Q', 'F')])
const loaded = load(mesh)
const all = findingsOf(loaded)
const [first] = all
const because = 'it is known'
const read = (accepted: unknown) => acceptedOf('mesh.yaml', { version: 1, accepted }, mesh)

it('a finding may be accepted: it is apart, and caps nothing', () => {
  if (first === undefined) throw new Error('no finding to accept')
  const accepted = read([{ rule: first.rule, at: first.name, because }])
  const found = settled(all, accepted)
  expect(found.accepted).toEqual([{ ...first, because }])
  expect(found.findings).toEqual(all.filter((one) => one !== first))
  expect(found.needless).toEqual([])
  const high = (given: typeof accepted) => comprehensive(loaded, { accepted: given }).score.caps
  const everything = all.map(({ rule, at }) => ({ rule, at, because }))
  expect([high([]).length, high(read(everything)).length]).toEqual([1, 0])
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
  [[{ rule: 'no-redrive', at: 'Q', because: '' }], /accepted\.0\.because: say why/],
  [[{ rule: 'no-redrive', at: 'Q' }], /accepted\.0\.because/],
])('%j is an error that says where', (accepted, says) => {
  expect(() => read(accepted)).toThrow(says)
})

it('stands in the file of rates', () => {
  expect(parseLoads('mesh.yaml', { version: 1, accepted: [] }, mesh).arrivals.size).toBe(0)
})
