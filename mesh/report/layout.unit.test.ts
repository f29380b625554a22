import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stacked } from './columns.ts'
import { label } from './label.ts'
import { layered } from './layout.ts'

describe('a label', () => {
  it.each([
    ['record', ['record']],
    ['test-and-validate-workflow', ['test-and-validate-', 'workflow']],
    ['CollectRepositoryFromElsewhere', ['CollectRepository', 'FromElsewhere']],
    ['x'.repeat(50), [`${'x'.repeat(18)}…`]],
  ])('of %s is %j', (name, lines) => expect(label(name)).toEqual(lines))
})

it('a column keeps its order, leaves room, and is where it wants to be when there is room', () => {
  expect(stacked([10, 50], [10, 10])).toEqual([10, 50])
  expect(stacked([20, 20], [10, 10])).toEqual([15, 25])
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -500, max: 500 }), fc.integer({ min: 1, max: 50 }))),
      (all) => {
        const heights = all.map(([, height]) => height)
        const centres = stacked(
          all.map(([wish]) => wish),
          heights,
        )
        for (const [index, centre] of centres.entries()) {
          const above = centres[index - 1]
          if (above === undefined) continue
          expect(centre - above).toBeGreaterThanOrEqual(
            ((heights[index] ?? 0) + (heights[index - 1] ?? 0)) / 2 - 1e-6,
          )
        }
      },
    ),
  )
})

describe('lines of a box that many leave', () => {
  const boxes = Array.from({ length: 61 }, () => ({ width: 100, height: 45, aside: false }))
  const uprights = (paths: readonly string[]) =>
    new Set(paths.map((path) => / Q([\d.-]+) \S+ \1 \S+ V/.exec(path)?.[1]))

  it('stand upright at one place, and are no wedge', () => {
    const { paths } = layered(
      boxes,
      boxes.slice(1).map((_, index) => ({ from: 0, to: index + 1, leads: true, sure: true })),
    )
    const [x, ...others] = uprights(paths)
    expect([Number(x) > 100, others]).toEqual([true, []])
  })

  it('as those of one where many arrive', () => {
    const { paths } = layered(
      boxes,
      boxes.slice(1).map((_, index) => ({ from: index + 1, to: 0, leads: true, sure: true })),
    )
    const [x, ...others] = uprights(paths)
    expect([Number(x) > 100, others]).toEqual([true, []])
  })

  it('few are bent', () => {
    const { paths } = layered(
      boxes.slice(0, 3),
      [1, 2].map((to) => ({ from: 0, to, leads: true, sure: true })),
    )
    expect(paths.every((path) => path.includes('C') && !path.includes('V'))).toBe(true)
  })
})

it('boxes of any graph do not lie on each other, and every line has its way', () => {
  const count = 12
  const place = fc.nat({ max: count - 1 })
  fc.assert(
    fc.property(
      fc.array(fc.record({ from: place, to: place, leads: fc.boolean(), sure: fc.boolean() }), {
        maxLength: 40,
      }),
      fc.array(fc.boolean(), { minLength: count, maxLength: count }),
      (lines, aside) => {
        const boxes = aside.map((beside, index) => ({ width: 80 + 5 * index, height: 45, aside: beside }))
        const { at, paths } = layered(boxes, lines)
        expect(paths.every((path) => /^M[^N]+$/.test(path))).toBe(true)
        boxes.forEach((box, one) => {
          boxes.slice(0, one).forEach((other, two) => {
            const [a, b] = [at[one] ?? { x: 0, y: 0 }, at[two] ?? { x: 0, y: 0 }]
            const apart = Math.max(
              Math.abs(a.x - b.x) - (box.width + other.width) / 2,
              Math.abs(a.y - b.y) - (box.height + other.height) / 2,
            )
            expect(apart).toBeGreaterThanOrEqual(0)
          })
        })
      },
    ),
  )
})
