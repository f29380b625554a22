import { isLimit, isShared } from '../laws/limits.ts'
import type { Mesh, MeshNode } from '../model.ts'
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

/** The limits that a node has together with others, by name. */
export const sharedBy = ({ laws }: MeshNode): string[] =>
  laws.flatMap((law) => (isLimit(law) && isShared(law) ? [law.shared] : []))

/**
 * Of each place, what is used of its own tightest limit (`worst`), of a node also of those that it shares and of the polls
 * that lead to it (`used`); and what goes through it.
 */
export function numbersOf({ stresses, unavailable, rates, loads }: StaticReport, { nodes, elements }: Mesh) {
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
  const unknown = new Set(unavailable.map(({ at }) => at))
  const used = new Map(worst)
  const use = (node: string, limit: string) => {
    const one = worst.get(limit)
    if (one !== undefined) used.set(node, Math.max(used.get(node) ?? 0, one))
  }
  for (const { kind, id, to } of elements) if (kind === 'poll') use(to, id)
  for (const node of nodes) {
    const { rate: known = 0, complete = false } = rate.get(node.id) ?? {}
    // of what a node asks for and nobody knows, what the others ask for is no measure
    if ((known > 0 || complete) && !unknown.has(node.id))
      for (const name of sharedBy(node)) use(node.id, name)
  }
  return { worst, used, rate, load, most: Math.max(0, ...loads.map((one) => one.rate)) }
}
export type Numbers = ReturnType<typeof numbersOf>
