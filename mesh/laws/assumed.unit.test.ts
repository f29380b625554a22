import { expect, it } from 'vitest'
import { invoke, loadedWith, meshFrom, node, servers } from '../../test/meshes.ts'
import { dynamic } from '../dynamic/dynamic.ts'
import { fracture } from '../fracture/analyse.ts'
import { nonlinear } from '../nonlinear/nonlinear.ts'
import { analyseStatic } from '../static/analyse.ts'
import { constants } from './constants.ts'

const dated = (name: string) => constants.find((one) => one.name === name)?.dated ?? expect.fail(name)
const from = (name: string) => ({ ...servers(1000, 'refuse'), from: name })
const [old, late] = constants
  .toSorted((a, b) => (a.dated < b.dated ? -1 : 1))
  .filter((_, place, all) => place === 0 || place === all.length - 1)
  .map(({ name }) => name)

it('each analysis names the region, the dates of what AWS published, and what stands in its place', () => {
  const laws = [from(old ?? ''), from(late ?? ''), from('lambda-concurrency'), from('template')]
  const mesh = meshFrom([node('api', 'door'), node('function', 'f', {}, laws)], [invoke('door', 'f')])
  const loaded = loadedWith(mesh, { door: 1 }, { f: 0.1 }, { constants: { 'lambda-concurrency': 3000 } })
  const said = [
    'The limits of AWS are those that new accounts have in us-east-1.',
    `The numbers of AWS are 2 that it published, as of ${dated(old ?? '')} to ${dated(late ?? '')}: what it has changed since is not in them.`,
    'In their place the file of rates gives lambda-concurrency.',
  ]
  for (const report of [
    analyseStatic(loaded),
    dynamic(loaded, { shape: 'step' }),
    nonlinear(loaded),
    fracture(loaded),
  ])
    expect(report.assumptions).toEqual(expect.arrayContaining(said))
})

it('of a mesh whose limits are all its own nothing is said of those of AWS', () => {
  const mesh = meshFrom([node('function', 'f', {}, [servers(5)])], [])
  expect(analyseStatic(loadedWith(mesh, {}, {})).assumptions.join()).not.toContain('published')
})
