import { isLimit, isUncounted, type Limiting, unitOf, workOf } from '../laws/limits.ts'
import { isAsked, type Loaded } from '../load.ts'
import { type ElementOf, type MeshElement, type MeshNode, nodesById } from '../model.ts'
import { isOnTheWay } from '../passing.ts'
import type { Stress } from './stress.ts'

/** Parts of what comes that is more than a limit does: refused in the end, however often tried, or never begun with. */
export type Refusals = {
  /** of what comes in here from outside */
  atDoor: (node: string) => number
  /** of what goes over this element */
  over: (element: MeshElement) => number
  /** of what is handled in this state, for it has to read or write something that refuses it */
  handling: (state: number) => number
  /** of what is kept while it waits to go over this element: what nothing gets to before its time is over, and whether that
   * deletes it where it waits (else it is given up as what fails is) */
  unserved: (element: MeshElement) => Unserved
}
type Unserved = { part: number; expires: boolean }

/**
 * Of x a second at a bucket that fills with r, the part 1 - r/x is refused in the end, for attempts make no tokens: of at
 * most n, each refused with probability q, x(1 - qⁿ)/(1 - q) are made and the part 1 - q of them is let in, so that
 * r = x(1 - qⁿ). Bursts end; in the steady state they count for nothing. What is polled, or delivered later, waits: of x a
 * second before what does r of them the queue grows up to the age that it keeps, and 1 - r/x is never begun with. Each limit
 * is held against all that comes, as if nothing had been lost before it.
 */
export function refusalsOf({ mesh, states, streams }: Loaded, stresses: readonly Stress[]): Refusals {
  const beyond = new Map(
    stresses.flatMap(({ at, unit, utilisation }) =>
      utilisation > 1 ? [[`${at} ${unit}`, 1 - 1 / utilisation]] : [],
    ),
  )
  const nodes = nodesById(mesh)
  // what the tightest lets in, the others need not refuse
  const tightest = ({ id, laws }: Limited, counts: (law: Limiting) => boolean): Beyond =>
    laws
      .filter(isLimit)
      .filter(counts)
      .map((law) => ({ law, part: beyond.get(`${law.shared ?? id} ${unitOf(law)}`) ?? 0 }))
      .reduce<Beyond>((one, other) => (other.part > one.part ? other : one), { part: 0 })
  const refusedAt = (place: Limited | undefined, isAskedOf: (law: Limiting) => boolean): number =>
    place === undefined
      ? 0
      : tightest(place, (law) => law.law === 'tokens' && law.over === 'refuse' && isAskedOf(law)).part
  const over = (element: MeshElement): number => {
    if (element.kind === 'poll' || element.kind === 'dead-letter') return 0
    const to = nodes.get(element.to)
    return Math.max(
      refusedAt(to, askedBy(element, nodes.get(element.from), to)),
      refusedAt(element, () => true),
    )
  }
  const unserved = (element: MeshElement): Unserved => {
    const [from, to] = [nodes.get(element.from), nodes.get(element.to)]
    if (element.kind === 'call' || element.kind === 'dead-letter') return none
    const isAskedOf = askedBy(element, from, to)
    const begins = (law: Limiting) => isAskedOf(law) && waitsFor(law, element, to)
    const places = [tightest(element, begins), ...(to === undefined ? [] : [tightest(to, begins)])]
    if (from !== undefined && element.kind === 'delivery')
      places.push(tightest(from, (law) => unitOf(law) === 'deliveries' && law.over === 'delay'))
    const { part, law } = places.reduce((one, other) => (other.part > one.part ? other : one))
    return { part, expires: element.kind === 'poll' && expiresIn(element, from, law) }
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
    atDoor: (node) => refusedAt(nodes.get(node), (law) => workOf(law, arriving) !== 0),
    over,
    handling: (state) => 1 - (done.get(state) ?? 1),
    unserved,
  }
}

type Limited = Pick<MeshElement | MeshNode, 'id' | 'laws'>
/** The limit that leaves most of what comes undone, and that part. */
type Beyond = { part: number; law?: Limiting }
const none: Unserved = { part: 0, expires: false }

/** Whether what is beyond the limit waits before the element: of a poll always, of a function that is pushed to its servers. */
const waitsFor = (law: Limiting, { kind }: MeshElement, to: MeshNode | undefined): boolean =>
  kind === 'poll' || law.over !== 'refuse' || (kind === 'delivery' && to?.kind === 'function')

/**
 * A message that is received and refused so often goes where failed ones go, one that is never received does not; a record
 * has to be given up before its stream lets go of it.
 */
const expiresIn = (
  { maxAge }: ElementOf<'poll'>,
  from: MeshNode | undefined,
  law: Limiting | undefined,
): boolean => (from?.kind === 'queue' ? law?.over !== 'refuse' : maxAge == null)

/** One message that somebody hands over. */
const arriving = { attempts: 1, requests: 1, busy: 1, full: 1, reads: 0, deliveries: 0, uncounted: 0 }

/** Whether one message over an element is work to a limit of the node that it leads to. */
const askedBy =
  (element: MeshElement, from: MeshNode | undefined, to: MeshNode | undefined) =>
  (law: Limiting): boolean =>
    workOf(law, {
      ...arriving,
      reads: isAsked(element) ? 1 : 0,
      uncounted: isUncounted(element, from, to) ? 1 : 0,
    }) !== 0
