import { append } from '../append.ts'
import type { Loaded } from '../load.ts'
import type { Stream } from '../passing.ts'

/** A stream inside a flow, between positions of its states. */
export type Branch = { stream: number; from: number; to: number; gain: number }

/**
 * What comes in at a door and where it can get to. Vertices of `next`: first the states, then the branches, then a vertex
 * for each goal that several states can serve.
 */
export type Flow = {
  /** states of the mesh where it starts */
  doors: readonly number[]
  /** states of the mesh, each after what leads to it but for loops; the first is the door, if there is one only */
  states: readonly number[]
  branches: readonly Branch[]
  /** branches by the position of the state that they leave, or get to */
  leaving: readonly (readonly number[])[]
  arriving: readonly (readonly number[])[]
  acyclic: boolean
  /** last handlers; of consumers of one queue that end there, any one is enough */
  goals: readonly { vertex: number; states: readonly number[] }[]
  next: readonly (readonly number[])[]
}

/** Streams that carry on what the load is about, by the state that they leave. */
export type Onward = readonly (readonly number[])[]

export function onwardOf({ states, streams }: Loaded): Onward {
  const onward = states.map((): number[] => [])
  streams.forEach(({ element, from }, stream) => {
    if (element.kind !== 'call' || element.carries) onward[from]?.push(stream)
  })
  return onward
}

/**
 * The doors of a mesh: states that something comes in at from outside, by node and type. A queue that keeps what failed is
 * none, unless a rate is given for it.
 */
export function doorsOf({ mesh, states, external }: Loaded): number[] {
  const letters = new Set(mesh.elements.flatMap(({ kind, to }) => (kind === 'dead-letter' ? [to] : [])))
  const doors = external.flatMap((rate, state) => {
    const node = states[state]?.node
    const keeps = node?.kind === 'queue' && (node.settings.deadLetters || letters.has(node.id))
    return rate === 0 || (rate === null && keeps) ? [] : [state]
  })
  const keyOf = (state: number): string => `${states[state]?.node.id}\n${states[state]?.type}`
  return doors.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

export function flowFrom(loaded: Loaded, onward: Onward, doors: readonly number[]): Flow {
  const states = ordered(loaded.streams, onward, doors)
  const place = new Map(states.map((state, position) => [state, position]))
  const branches: Branch[] = []
  const leaving = states.map((): number[] => [])
  const arriving = states.map((): number[] => [])
  const next = states.map((): number[] => [])
  let acyclic = true
  states.forEach((state, from) => {
    for (const stream of onward[state] ?? []) {
      const { to: target = -1, gain = null } = loaded.streams[stream] ?? {}
      const to = place.get(target)
      if (to === undefined) continue
      if (to <= from) acyclic = false
      const branch = branches.push({ stream, from, to, gain: gain ?? Number.NaN }) - 1
      leaving[from]?.push(branch)
      arriving[to]?.push(branch)
      next[from]?.push(states.length + branch)
    }
  })
  for (const { to } of branches) next.push([to])
  const goals = goalsOf(loaded.streams, { states, branches, leaving, arriving }).map((members) => {
    const [only] = members
    if (members.length === 1 && only !== undefined) return { vertex: only, states: members }
    const vertex = next.push([]) - 1
    for (const member of members) next[member]?.push(vertex)
    return { vertex, states: members }
  })
  return { doors, states, branches, leaving, arriving, acyclic, goals, next }
}

/** Reverse postorder. */
function ordered(streams: readonly Stream[], onward: Onward, doors: readonly number[]): number[] {
  const seen = new Set<number>()
  const order: number[] = []
  for (const door of doors.toReversed()) {
    if (seen.has(door)) continue
    seen.add(door)
    const path = [{ state: door, edge: 0 }]
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const stream = onward[top.state]?.[top.edge++]
      if (stream === undefined) {
        order.push(top.state)
        path.pop()
        continue
      }
      const to = streams[stream]?.to
      if (to === undefined || seen.has(to)) continue
      seen.add(to)
      path.push({ state: to, edge: 0 })
    }
  }
  return order.reverse()
}

/** States that pass nothing on; those that only take from one queue together. */
function goalsOf(
  streams: readonly Stream[],
  { states, branches, leaving, arriving }: Pick<Flow, 'states' | 'branches' | 'leaving' | 'arriving'>,
): number[][] {
  const goals = new Map<string, number[]>()
  states.forEach((_, state) => {
    if ((leaving[state] ?? []).length > 0) return
    const queues = new Set(
      (arriving[state] ?? []).map((branch) => {
        const { stream = -1, from } = branches[branch] ?? {}
        const element = streams[stream]?.element
        return element?.kind === 'poll' && (streams[stream]?.gain ?? 1) < 1
          ? `queue ${from}`
          : `state ${state}`
      }),
    )
    const [only] = queues
    const key = queues.size === 1 && only !== undefined ? only : `state ${state}`
    append(goals, key, state)
  })
  return [...goals.values()]
}
