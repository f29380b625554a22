import type { StaticReport } from '../static/report.ts'

/** How much of its tightest limit a place uses, as a colour's name in the page's style. */
export function heat(utilisation: number | undefined): string {
  if (utilisation === undefined) return 'unknown'
  if (utilisation > 1) return 'over'
  if (utilisation > 0.7) return 'high'
  return utilisation > 0.4 ? 'some' : 'low'
}

/** The thickness of a line, in pixels: a tenth of the load is a step thinner. */
export const thickness = (rate: number, most: number): number =>
  rate <= 0 || most <= 0 ? 1.2 : Math.max(1.2, 8 + 2.4 * Math.log10(rate / most))

export type Rate = { rate: number; complete: boolean }

/** Of each place, what it uses of its tightest limit; and what goes through it. */
export function numbersOf({ stresses, rates, loads }: StaticReport) {
  const worst = new Map<string, number>()
  // of what nobody knows, nothing is no measure of its stress
  for (const { at, utilisation, demand, complete } of stresses)
    if (demand > 0 || complete) worst.set(at, Math.max(worst.get(at) ?? 0, utilisation))
  const rate = new Map<string, Rate>()
  for (const { node, rate: one, complete } of rates) {
    const before = rate.get(node) ?? { rate: 0, complete: true }
    rate.set(node, { rate: before.rate + one, complete: before.complete && complete })
  }
  const load = new Map(loads.map(({ element, rate: one, complete }) => [element, { rate: one, complete }]))
  return { worst, rate, load, most: Math.max(0, ...loads.map((one) => one.rate)) }
}
export type Numbers = ReturnType<typeof numbersOf>
