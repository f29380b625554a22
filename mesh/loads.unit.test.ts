import { expect, it } from 'vitest'
import { functionNode, meshFrom } from '../test/meshes.ts'
import { parseLoads } from './loads.ts'

it.each([
  [400, "400 s is longer than the function's timeout of 10 s; numbers are seconds: did you mean 400ms?"],
  ['4min', "240 s is longer than the function's timeout of 10 s"],
  ['400s', "400 s is longer than the function's timeout of 10 s"],
  [1e7, "10000000 s is longer than the function's timeout of 10 s"],
])('a time of %j is taken for milliseconds only where it may be so', (mean, says) => {
  const mesh = meshFrom([functionNode('f')], [])
  const read = () => parseLoads('r.yaml', { version: 1, service: { f: { mean } } }, mesh)
  expect(read).toThrow(expect.objectContaining({ message: `r.yaml: service.f.mean: ${says}` }))
})
