import type { Loads } from './loads.ts'
import type { ElementOf, MeshElement, MeshNode, NodeKind } from './model.ts'

/**
 * Events of one type at one node. `*` is a type that nobody has named. `asked`: requests that only use the node, of which
 * nothing goes on. `of`: at a bus whose rules ask for it, the bucket that tells it.
 */
export type State = { node: MeshNode; type: string; asked?: true; of?: string }

/** Of what `from` handles, `gain` messages go over the element to `to`; null: nobody has said how many. */
export type Stream = { element: MeshElement; from: number; to: number; gain: number | null }

export type Send = Loads['sends'][number]

/** A type that nobody has named. */
export const anyType = '*'

/** The type of what the destination of a function is told when that is done: no longer what the function was given. */
export const toldBy = (element: MeshElement, from: NodeKind | undefined): string | undefined =>
  from === 'function' && element.kind === 'delivery' ? element.types?.[0] : undefined

/** What the template itself leads on by, unlike what code may call: of an API also what it hands to a service itself. */
export const isWay = ({ kind, provenance }: MeshElement, from: NodeKind | undefined): boolean =>
  kind === 'call' ? from === 'api' && provenance === 'template' : kind !== 'dead-letter'

/** At a rule, where `said` tells which part of a type its pattern takes: what has come is that part, and all of it goes on. */
export function asTaken(state: State, said: readonly Send[]): State {
  const { node, type } = state
  if (node.kind !== 'rule' || !said.some((send) => type === anyType || [type, anyType].includes(send.type)))
    return state
  return { ...state, node: { ...node, settings: { ...node.settings, narrower: false } } }
}

type Passed = { type: string; gain: number | null }

type Around = {
  to: MeshNode
  out: readonly MeshElement[]
  beyond: readonly MeshElement[]
  sends: readonly Send[]
  /** messages that come at once to what hands them on */
  batch: number
}

/** What of a state goes over an element. */
export function passes(element: MeshElement, state: State, around: Around): Passed[] {
  const puts = 'puts' in element ? element.puts : undefined
  // a pipe gives a machine one run for all that it has taken
  const runs = state.node.kind === 'pipe' && around.to.kind === 'workflow' ? 1 / around.batch : 1
  return asItIs(element, state, around).map(({ type, gain }) => ({
    type: puts ?? type,
    gain: gain === null ? null : gain * runs,
  }))
}

function asItIs(element: MeshElement, state: State, around: Around): Passed[] {
  const { node, type } = state
  if (element.kind === 'dead-letter') return []
  if (element.kind === 'call' && !isWay(element, node.kind)) return called(element, type, around)
  const asked = around.to.kind === 'rule' ? around.to.settings.buckets : undefined
  if (state.of !== undefined && asked?.includes(state.of) === false) return []
  const told = toldBy(element, node.kind)
  const said = around.sends.filter(
    ({ per, type: sent }) => type === anyType || [type, anyType, told].includes(per ?? sent),
  )
  const here = said.filter(({ to, type: sent }) => to === element.to && [undefined, sent].includes(told))
  if (here.length > 0) {
    const parallel = around.out.filter((way) => way.to === element.to && isWay(way, node.kind))
    // what is said for each of a type may be said of another
    const as = Map.groupBy(
      here,
      ({ per, type: sent }) => told ?? (per === null || sent === anyType ? type : sent),
    )
    return Array.from(as, ([becomes, all]) => ({
      type: becomes,
      gain: all.reduce((sum, { ratio }) => sum + ratio, 0) / parallel.length,
    }))
  }
  // where it goes one of several ways, what is said of one is said of all; elsewhere each takes what it takes
  if (said.length > 0 && (node.kind === 'api' || node.kind === 'queue')) return []
  if (told !== undefined) return [{ type: told, gain: asksMore(element, node) ? null : 1 }]
  const isOff = (element.kind === 'poll' && !element.enabled) || [node, around.to].some(isRuleOff)
  if (isOff || !takes(element, type)) return []
  return [led(element, state, around)]
}

const isRuleOff = (node: MeshNode): boolean => node.kind === 'rule' && !node.settings.enabled

/** By a call: so many for each message that it is made for. */
function called(
  { per, carries, types, ratio, action }: ElementOf<'call'>,
  type: string,
  { to, beyond }: { to: MeshNode; beyond: readonly MeshElement[] },
): Passed[] {
  if (per !== null && per !== type && type !== anyType) return []
  // what is only used is used for whatever is handled
  const sent = types?.[0] ?? type
  const becomes = to.kind === 'bucket' ? (putAs(action, sent, beyond) ?? sent) : sent
  return [{ type: carries ? becomes : type, gain: ratio }]
}

/** The action that writes an object -> the end of its event's name. */
const puts: Readonly<Record<string, string>> = {
  ...{ '*': 'Put', 's3:PutObject': 'Put', 's3:CopyObject': 'Copy' },
  ...{ 's3:UploadPart': 'CompleteMultipartUpload', 's3:CompleteMultipartUpload': 'CompleteMultipartUpload' },
}

/** Whatever is written, the bucket tells those who listen of an object, unless it goes by a name that they know. */
function putAs(action: string, type: string, listening: readonly MeshElement[]): string | undefined {
  const listeners = listening.filter(({ kind, types }) => kind === 'delivery' && types !== null)
  const isKnown = listeners.some((listener) => type !== anyType && takes(listener, type))
  const event = puts[action]
  return listeners.length === 0 || isKnown || event === undefined ? undefined : `s3:ObjectCreated:${event}`
}

/** `s3:ObjectCreated:*` is every event whose name begins so. */
const takes = ({ types }: MeshElement, type: string): boolean =>
  types === null ||
  type === anyType ||
  types.some((one) => one === type || (one.endsWith('*') && type.startsWith(one.slice(0, -1))))

/** Whether it asks more of a message than its type, so that nobody knows how many it takes. */
const asksMore = (element: MeshElement, from: MeshNode): boolean =>
  (from.kind === 'rule' && from.settings.narrower) ||
  (element.kind === 'delivery' && element.filtered === true) ||
  // a filter that somebody has named the types of takes all of these
  (element.kind === 'poll' && element.filtered && element.types === null)

/** By a way of the template: all of it, or a part where consumers share it, and of what asks for more nobody knows how much. */
function led(
  element: MeshElement,
  { node, type, of }: State,
  { to, out }: { to: MeshNode; out: readonly MeshElement[] },
): Passed {
  const { kind, types } = element
  // consumers of one queue share what is in it; those of a stream each get all
  const sharers =
    kind === 'poll' && node.kind === 'queue'
      ? out.filter((sibling) => sibling.kind === 'poll' && sibling.enabled)
      : []
  // which route of an API it is, nobody has said
  const routes = node.kind === 'api' ? out.filter((way) => isWay(way, 'api') && takes(way, type)) : []
  const elsewhere = routes.some((route) => route.to !== to.id)
  const narrowed = types !== null && type === anyType
  // of which bucket it is
  const isUnsaid = to.kind === 'rule' && to.settings.buckets !== undefined && of === undefined
  // of a state behind a Choice, a Map or a Catch the input says how often a run comes to it
  const times = node.kind === 'workflow' && to.kind === 'task' ? to.settings.times : 1
  return {
    type: narrowed && types.length === 1 ? (types[0] ?? type) : type,
    gain:
      narrowed || asksMore(element, node) || isUnsaid || elsewhere || times === null
        ? null
        : times / Math.max(1, sharers.length, routes.length),
  }
}

/** Whether an event goes on over it: what is only read ends no way, nor what is only kept; its handler does. */
export function isOnTheWay({
  states,
  streams,
}: {
  states: readonly State[]
  streams: readonly Stream[]
}): (stream: Stream) => boolean {
  const leadsOn = new Set(streams.map(({ from }) => from))
  return ({ element, to }) => {
    const kind = states[to]?.node.kind
    const isKept = (kind === 'table' || kind === 'bucket') && !leadsOn.has(to)
    return !isKept && (element.kind !== 'call' || element.carries)
  }
}
