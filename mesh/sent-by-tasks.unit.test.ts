import { describe, expect, it } from 'vitest'
import { delivery, element, functionNode, invoke, meshFrom, node, queueNode } from '../test/meshes.ts'
import { load } from './load.ts'
import { parseLoads } from './loads.ts'
import type { MeshElement } from './model.ts'
import { ratesOf } from './static/rates.ts'

/** A machine whose tasks run as often as the input says, and call the function `f`. */
const machine = (calls: readonly MeshElement[], more: readonly MeshElement[] = []) =>
  meshFrom(
    [
      node('workflow', 'm'),
      ...['a', 'b'].map((id) => node('task', id, { workflow: 'm', times: null })),
      ...[functionNode('f'), queueNode('q')],
    ],
    [invoke('m', 'a'), invoke('m', 'b'), ...calls, ...more],
  )

/** Per second by node, with `>=` where that is the least that it can be, and how many ways lead to the function. */
function coming(mesh: ReturnType<typeof machine>, sends: object[]) {
  const loaded = load(mesh, parseLoads('rates', { version: 1, arrivals: { m: { file: 2 } }, sends }, mesh))
  const { rates, complete } = ratesOf(loaded)
  const at = (id: string) =>
    loaded.states.flatMap(({ node: { id: own }, type }, state) =>
      own === id ? [`${complete[state] ? '' : '>='}${rates[state]} ${type}`] : [],
    )
  const ways = loaded.streams.filter(({ to }) => loaded.states[to]?.node.id === 'f')
  return { a: at('a'), b: at('b'), f: at('f'), ways: ways.map(({ element: { id } }) => id) }
}

const said = { from: 'm', to: 'f', type: 'line', per: 'file', ratio: 30 }
const declared = (ratio: number | null) =>
  element('call', 'm', 'f', { provenance: 'declared', types: ['line'], per: 'file', ratio })

describe('what is said of a machine is in the place of what its tasks send there', () => {
  it.each([
    ['invoke', invoke('a', 'f')],
    ['delivery', delivery('a', 'f')],
  ])('of a function that one calls by %s: so often it runs', (kind, calls) => {
    const whole = { a: ['60 line'], f: ['60 line'], ways: [`${kind}:a>f`] }
    expect(coming(machine([calls]), [said])).toMatchObject({ ...whole, b: ['>=0 file'] })
    expect(coming(machine([calls]), [{ ...said, to: 'a' }])).toMatchObject(whole)
    // by the template as by the file of rates, which knows better
    expect(coming(machine([calls], [declared(30)]), [])).toMatchObject(whole)
    expect(coming(machine([calls], [declared(7)]), [said])).toMatchObject(whole)
    expect(coming(machine([calls], [declared(null)]), [])).toMatchObject({ a: ['>=0 file'], f: ['>=0 file'] })
  })

  it('of a function that two call: in equal parts', () => {
    const both = machine([invoke('a', 'f'), invoke('b', 'f')])
    expect(coming(both, [said])).toEqual({
      ...{ a: ['30 line'], b: ['30 line'], f: ['60 line'] },
      ways: ['invoke:a>f', 'invoke:b>f'],
    })
  })

  it('of a function that none calls: beside them', () => {
    expect(coming(machine([]), [said])).toMatchObject({ a: ['>=0 file'], f: ['60 line'] })
  })
})
