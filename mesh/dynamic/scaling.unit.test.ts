import { expect, it } from 'vitest'
import { apiNode, functionNode, invoke, loadedWith, meshFrom, scaling, servers } from '../../test/meshes.ts'
import { type DynamicOptions, dynamic } from './dynamic.ts'

it('what comes at once comes beyond the servers that run', () => {
  // 800 are busy, 1,000 more come at once and 100 a second: of 2,400 600 too many at first, for 6 s
  const laws = [servers(20_000, 'refuse'), { ...scaling(1000, 6000, 20_000), ahead: 1000 }]
  const mesh = meshFrom([apiNode('api'), functionNode('f', laws)], [invoke('api', 'f')])
  const of = (options: DynamicOptions) =>
    dynamic(loadedWith(mesh, { api: 800 }, { f: 1 }), options).limits.find(({ law }) => law === 'scaling')
  const step = of({ shape: 'step', factor: 3 })
  expect(step?.lag).toBeCloseTo(6, 6)
  expect(step?.lost).toBeCloseTo((600 * 6) / 2, 5)
  // 200 a second more use up what comes at once in 10 s; 200 too many after 12 s, and none 2 s later
  const ramp = of({ shape: 'ramp', factor: 4, rise: 12 })
  expect(ramp?.overAt).toBeCloseTo(70, 6)
  expect(ramp?.lost).toBeCloseTo(200 + 200, 5)
  // what grows slower than they come keeps all of them ahead
  expect(of({ shape: 'ramp', factor: 4, rise: 60 })?.lost).toBe(0)
})
