import { describe, expect, it } from 'vitest'
import { meshOfSize } from '../../test/meshes-of-size.ts'
import { comprehensive } from '../comprehensive/analyse.ts'
import { load } from '../load.ts'
import { page } from './page.ts'
import { most, viewOf } from './view.ts'

const sized = (elements: number) => {
  const { mesh, loads } = meshOfSize(elements)
  const loaded = load(mesh, loads)
  return { mesh: loaded.mesh, report: comprehensive(loaded) }
}
it('a mesh that can be looked at is drawn as a whole', () => {
  const { mesh, report } = sized(300)
  const { boxes, lines, ways } = viewOf(mesh, report)
  expect([boxes.size, lines.length]).toEqual([mesh.nodes.length, mesh.elements.length])
  expect(ways).not.toContain(undefined)
  expect(page(mesh, report)).not.toContain('are not drawn')
})

describe('of a large mesh', () => {
  const { mesh, report } = sized(2000)
  const { boxes, lines, ways } = viewOf(mesh, report)
  const html = page(mesh, report)

  it('no more is drawn than can be looked at, and no line without its boxes', () => {
    expect(boxes.size).toBe(most.nodes)
    expect(lines.length).toBeLessThanOrEqual(most.lines)
    expect(lines.every(({ from, to }) => boxes.has(from) && boxes.has(to))).toBe(true)
    expect(html.match(/<g class="node /g)).toHaveLength(most.nodes)
  })

  it('the worst is drawn, with a way through it', () => {
    const index = new Map(mesh.nodes.map(({ id }, place) => [id, place]))
    const from = new Map(mesh.elements.map((one) => [one.id, one.from]))
    // what several share is at no place
    const firstOf = (all: readonly { at: string }[]) =>
      all.flatMap(({ at }) => index.get(at) ?? index.get(from.get(at) ?? '') ?? []).slice(0, 5)
    const worst = [...firstOf(report.findings), ...firstOf(report.static.stresses)]
    expect(worst).toHaveLength(10)
    for (const place of worst) {
      expect(boxes).toContain(place)
      expect(lines.some(({ from, to }) => from === place || to === place)).toBe(true)
    }
  })

  it('a way is offered when all of it is drawn', () => {
    expect(ways.some((way) => way === undefined)).toBe(true)
    expect(html.match(/<option value="\d/g)).toHaveLength(ways.filter((way) => way !== undefined).length)
  })

  it('it is said what is not drawn, all stands in words, and links lead to where something is', () => {
    const hidden = mesh.nodes.length - boxes.size
    const untied = mesh.elements.length - lines.length
    expect(html).toContain(
      `${hidden} of ${mesh.nodes.length} nodes and ${untied} of ${mesh.elements.length} elements are not drawn`,
    )
    expect(html.match(/<article /g)).toHaveLength(mesh.nodes.length)
    const ids = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id))
    const links = [...html.matchAll(/ href="#([nwf]\d+)"/g)].map(([, id]) => id)
    expect(links.filter((id) => !ids.has(id))).toEqual([])
  })
})

it('of a mesh with more elements than can be told apart the ways are drawn first', () => {
  const { mesh, report } = sized(300)
  const [first] = mesh.elements
  const parallel = Array.from({ length: most.lines + 10 }, (_, place) => ({
    ...(first ?? expect.fail('no elements')),
    id: `more-${place}`,
  }))
  const dense = { ...mesh, elements: [...mesh.elements, ...parallel] }
  const { boxes, lines } = viewOf(dense, report)
  expect([boxes.size, lines.length]).toEqual([mesh.nodes.length, most.lines])
  const isWay = ({ part }: { part: string }) => part === 'way'
  expect(lines.filter(isWay).length).toBe(
    Math.min(most.lines, viewOf(dense, report).parts.drawn.filter(isWay).length),
  )
})
