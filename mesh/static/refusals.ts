import type { Loaded } from '../load.ts'
import type { Law, MeshElement } from '../model.ts'
import { isOnTheWay } from './paths.ts'
import type { Stress } from './stress.ts'

/** Parts that rates of tokens refuse in the end, however often they are tried. */
export type Refusals = {
  /** of what comes in here from outside */
  atDoor: (node: string) => number
  /** of what goes over this element */
  over: (element: MeshElement) => number
  /** of what is handled in this state, for it has to read or write something that refuses it */
  handling: (state: number) => number
}

/**
 * Of x a second at a bucket that fills with r, the part 1 - r/x is refused in the end, for attempts make no tokens: of at
 * most n, each refused with probability q, x(1 - qⁿ)/(1 - q) are made and the part 1 - q of them is let in, so that
 * r = x(1 - qⁿ). Bursts end; in the steady state they count for nothing. What is polled waits and is not refused.
 */
export function refusalsOf({ mesh, states, streams }: Loaded, stresses: readonly Stress[]): Refusals {
  const beyond = new Map(
    stresses.flatMap(({ at, unit, over, utilisation }) =>
      over === 'refuse' && utilisation > 1 ? [[`${at} ${unit}`, 1 - 1 / utilisation]] : [],
    ),
  )
  const nodes = new Map(mesh.nodes.map((node) => [node.id, node]))
  // what the tightest lets in, the others need not refuse
  const most = (laws: readonly Law[], at: string, asks: (unit: string) => boolean): number =>
    laws.reduce(
      (part, law) =>
        law.law === 'tokens' && asks(law.unit)
          ? Math.max(part, beyond.get(`${law.shared ?? at} ${law.unit}`) ?? 0)
          : part,
      0,
    )
  const over = (element: MeshElement): number => {
    if (element.kind === 'poll' || element.kind === 'dead-letter') return 0
    const reads = element.kind === 'call' && !element.carries
    const asked = most(nodes.get(element.to)?.laws ?? [], element.to, (unit) => isAsked(unit, reads))
    return Math.max(
      asked,
      most(element.laws, element.id, () => true),
    )
  }
  const isOnWay = isOnTheWay({ states, streams })
  const done = new Map<number, number>()
  for (const stream of streams) {
    const { element, from, gain } = stream
    if (isOnWay(stream)) continue
    // of several calls for each, what all of them need is let in as often as one
    const refused = Math.min(1, gain ?? 0) * over(element)
    if (refused > 0) done.set(from, (done.get(from) ?? 1) * (1 - refused))
  }
  return {
    atDoor: (node) => most(nodes.get(node)?.laws ?? [], node, (unit) => isAsked(unit, false)),
    over,
    handling: (state) => 1 - (done.get(state) ?? 1),
  }
}

const isAsked = (unit: string, reads: boolean): boolean =>
  unit === 'reads' ? reads : unit === 'writes' ? !reads : unit !== 'deliveries'
