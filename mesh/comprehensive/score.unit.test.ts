import { describe, expect, it } from 'vitest'
import { element, functionNode, loadedWith, meshFrom, node, queueNode, servers } from '../../test/meshes.ts'
import { markdown } from '../report/markdown.ts'
import { page } from '../report/page.ts'
import { comprehensive } from './analyse.ts'
import { comprehensiveReport } from './report.ts'

/** Two queues with a worker each, ten at once; letters are kept, so that nothing is lost. */
const names = ['slow', 'quick']
const mesh = meshFrom(
  [
    ...names.flatMap((name) => [queueNode(`${name}-queue`), functionNode(name, [servers(10)])]),
    queueNode('letters', { deadLetters: true }),
  ],
  names.flatMap((name) => [
    element('poll', `${name}-queue`, name),
    element('dead-letter', `${name}-queue`, 'letters'),
  ]),
)
const under = (rate: number, service: Readonly<Record<string, number>>, more = {}) =>
  comprehensive(loadedWith(mesh, { 'slow-queue': rate, 'quick-queue': rate }, service, more))
const term = (name: string, { score }: ReturnType<typeof under>) =>
  score.terms.find((each) => each.name === name)

describe('a score', () => {
  it('is not told while utilisation or latency is not known', () => {
    const { score, system_health: health } = under(1, {})
    expect(score).toMatchObject({ score: null, uncapped: expect.any(Number) })
    expect(score.unavailable).toEqual(expect.arrayContaining(['utilisation', 'latency']))
    expect(health).toBe('unknown')
  })

  it('of which a part is not known is the most that it can be, everywhere that it is shown', () => {
    const whole = under(20, { slow: 0.4, quick: 0.1 })
    const less = under(20, { quick: 0.1 })
    expect(whole.score.atMost).toBe(false)
    expect(whole.score.terms.map(({ atLeast }) => atLeast)).toEqual(whole.score.terms.map(() => null))
    expect(less.score.atMost).toBe(true)
    expect(term('utilisation', less)?.atLeast).toBe('not known whole: what is asked of slow')
    expect(term('latency', less)?.atLeast).toBe('not known whole: the ways over slow')
    expect(term('recovery', less)?.atLeast).toMatch(/^not known whole: the spare capacity behind .*slow/)
    const text = markdown(less)
    expect(text).toMatch(/^## Mesh: score at most /)
    expect(text).toContain('at least 0.2')
    expect(text).toContain('not known whole: what is asked of slow')
    expect(page(mesh, less)).toMatch(/at most \d/)
    expect(page(mesh, less)).toContain('not known whole: what is asked of slow')
    expect(comprehensiveReport.parse(less)).toEqual(less)
  })

  it('never rises with the load, also where nothing is left to recover with', () => {
    const scores = [10, 20, 24.9, 25, 25.1, 30].map((rate) => under(rate, { slow: 0.4, quick: 0.1 }))
    expect(scores.map(({ score }) => score.score)).toEqual(
      scores.map(({ score }) => score.score).toSorted((a, b) => (b ?? 0) - (a ?? 0)),
    )
    expect(term('recovery', under(25, { slow: 0.4, quick: 0.1 }))).toMatchObject({ demand: 31_536_000 })
  })
})

describe('what has no end', () => {
  it('is told as that, and not as the year that stands for it', () => {
    const report = under(30, { slow: 0.4, quick: 0.1 })
    expect(term('latency', report)).toMatchObject({ demand: 31_536_000, endless: true })
    expect(comprehensiveReport.parse(report)).toEqual(report)
    expect(markdown(report)).toContain('| latency | ∞ | 30 s | **∞** |')
    expect(page(mesh, report)).toContain('<td>∞</td>')
    for (const text of [markdown(report), page(mesh, report)]) expect(text).not.toMatch(/31540000|105100000/)
    const now = comprehensive(loadedWith(mesh, { 'slow-queue': 1 }, { slow: 0.4, quick: 0.1 }), {
      before: report,
    })
    expect(markdown(now)).toMatch(/- latency: ∞, now [\d.]+ % of what is allowed/)
  })

  it('calls places by their names, with digits that count', () => {
    const named = { ...mesh, nodes: mesh.nodes.map((node) => ({ ...node, name: `the ${node.id}` })) }
    const rates = { 'slow-queue': 20, 'quick-queue': 20 }
    const report = comprehensive(loadedWith(named, rates, { slow: 0.4, quick: 0.1 }))
    expect(report.nonlinear.mesh.limiting).toBe('slow')
    expect(page(named, report)).toContain('times the load the slow is at its capacity')
  })
})

describe('flow through single points', () => {
  it('is what is known of it, where of one type nobody knows the rate', () => {
    const open = meshFrom(
      [...mesh.nodes, node('bus', 'bus'), functionNode('other')],
      [...mesh.elements, element('delivery', 'bus', 'other')],
    )
    const loaded = loadedWith(open, { 'slow-queue': 3, 'quick-queue': 1 }, { slow: 0.1, quick: 0.1 })
    const { score } = comprehensive(loaded, {
      availability: { slow: 0.99, quick: 0.96 },
    })
    const flow = score.terms.find((each) => each.name === name)
    expect(flow?.demand).toBeCloseTo(0.75 * 0.01 + 0.25 * 0.04, 12)
    expect(flow?.atLeast).toMatch(/^not known whole: what passes /)
  })

  const name = 'flow through single points of failure'
  const given = (availability: Record<string, number>) =>
    comprehensive(loadedWith(mesh, { 'slow-queue': 3, 'quick-queue': 1 }, { slow: 0.1, quick: 0.1 }), {
      availability,
    })

  it('is what each stops for as long as it may not work, doors left out', () => {
    expect(term(name, given({ slow: 0.99, quick: 0.96 }))?.demand).toBeCloseTo(0.75 * 0.01 + 0.25 * 0.04, 12)
  })

  it('strains nobody for being there, and fails where a point fails too often', () => {
    expect(term(name, given({}))?.unity).toBeLessThan(0.8)
    expect(given({ slow: 0.98 }).system_health).toBe('failing')
  })
})
