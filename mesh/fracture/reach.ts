import { awaitsRun } from '../awaited.ts'
import type { Loaded } from '../load.ts'
import type { MeshElement, MeshNode } from '../model.ts'
import { anyType } from '../passing.ts'
import { givenUpOf } from '../static/given-up.ts'
import { isHeld, patienceOver, waitsOf, windowOf } from '../static/tries.ts'
import type { Branch, Flow } from './flows.ts'
import type { Link } from './frontier.ts'
import type { Needs } from './needs.ts'
import { reliability } from './reliability.ts'
import type { Surveyed } from './survey.ts'

/** Whether it starts a run of a state machine, and goes on before that ends. */
const onlyStarts = (element: MeshElement, from: MeshNode | undefined, to: MeshNode | undefined): boolean =>
  to?.kind === 'workflow' && !awaitsRun(element, from)

/**
 * What of a flow is done while the caller at its door waits: `waits` is 1 where nothing holds what goes there, and of
 * `onward` he waits for what goes on from there, too.
 */
function awaited({ states, streams }: Loaded, flow: Flow): { waits: Uint8Array; onward: Set<number> } {
  const waits = new Uint8Array(flow.states.length)
  const nodeAt = (state: number) => states[flow.states[state] ?? -1]?.node
  waits[0] = 1
  const onward = new Set([0])
  for (const state of onward)
    for (const branch of flow.leaving[state] ?? []) {
      const { stream = -1, to = -1 } = flow.branches[branch] ?? {}
      const element = streams[stream]?.element
      if (element === undefined || isHeld(element)) continue
      waits[to] = 1
      if (!onlyStarts(element, nodeAt(state), nodeAt(to))) onward.add(to)
    }
  return { waits, onward }
}

/**
 * How long what goes over an element is tried again while its target fails, seconds; undefined: as what led there is. What a
 * function makes of an outage of something else is an error of its own, and counts as an attempt; Lambda not working itself
 * is to whoever invokes it a refusal (`patienceOver`).
 */
type WindowOver = (element: MeshElement, from: MeshNode, to: MeshNode, itself: boolean) => number | undefined

const heldFor: WindowOver = (element, from, to, itself) =>
  !isHeld(element) ? undefined : itself ? patienceOver(element, from, to, true) : windowOf(element, from)

/** The same, and infinite where what is given up is kept: only what is kept nowhere is dropped. */
export function droppedAfter({ mesh }: Loaded): WindowOver {
  const givenUp = givenUpOf(mesh)
  return (element, from, to, itself) => {
    const becomes = givenUp(element)
    return becomes === 'kept' ? Number.POSITIVE_INFINITY : heldFor(element, from, to, itself)
  }
}

/** By state: the window of an outage of the node itself, and of one of what it needs. */
export type Windows = Readonly<Record<'itself' | 'needs', Float64Array>>

/**
 * Of each state: how long what goes there is tried again while it fails, seconds; infinite: the caller at the door waits
 * for it, and what was accepted has passed it. A run that is not waited for has nobody to try it again: its tasks do.
 */
export function windowsOf(loaded: Loaded, over: WindowOver = heldFor): (flow: Flow) => Windows {
  const { mesh, states, streams } = loaded
  const tries = new Map<string, number>()
  for (const element of mesh.elements)
    if (element.kind === 'invoke' || element.kind === 'call')
      tries.set(element.from, Math.max(tries.get(element.from) ?? 0, waitsOf(element.retry)))
  const ownOf = ({ id, kind }: MeshNode): number => (kind === 'task' ? (tries.get(id) ?? 0) : 0)
  return (flow) => {
    const { waits } = awaited(loaded, flow)
    const needs = new Float64Array(flow.states.length).fill(Number.POSITIVE_INFINITY)
    const itself = needs.slice()
    const alone = new Uint8Array(flow.states.length)
    const nodeAt = (state: number) => states[flow.states[state] ?? -1]?.node
    const arrive = ({ stream, from, to }: Branch) => {
      const element = streams[stream]?.element
      const [source, target] = [nodeAt(from), nodeAt(to)]
      if (element === undefined || source === undefined || target === undefined) return
      if (onlyStarts(element, source, target)) alone[to] = 1
      if (waits[to] === 1) return
      const led = alone[from] === 1 ? 0 : (needs[from] ?? 0)
      // what leads back was tried within the window of what led there
      const before = from < to ? Math.max(led, ownOf(target)) : Number.POSITIVE_INFINITY
      lower(needs, to, over(element, source, target, false) ?? before)
      lower(itself, to, over(element, source, target, true) ?? before)
    }
    for (const arriving of flow.arriving)
      for (const branch of arriving.map((index) => flow.branches[index]))
        if (branch !== undefined) arrive(branch)
    return { itself, needs }
  }
}

function lower(all: Float64Array, at: number, value: number): void {
  all[at] = Math.min(all[at] ?? 0, value)
}

export type Works = (node: MeshNode) => number

/** What of the mesh may fail, and how often. */
type Parts = { byId: ReadonlyMap<string, MeshNode>; needs: Needs; works: Works }

/**
 * The probability that a door accepts: it, all that it waits for and all that those need. What only some requests go to
 * (the ways of an api, sends that nobody has counted) counts by the worst of them.
 */
export function acceptedAt(loaded: Loaded, { flow }: Surveyed, { byId, needs, works }: Parts): number {
  const { states } = loaded
  const chance = (positions: Iterable<number>): number => {
    const ids = new Set<string>()
    for (const position of positions) {
      const state = states[flow.states[position] ?? -1]
      if (state === undefined) continue
      ids.add(state.node.id)
      for (const id of needs.at(state)) ids.add(id)
    }
    return [...ids].toSorted().reduce((product, id) => {
      const node = byId.get(id)
      return node === undefined ? product : product * works(node)
    }, 1)
  }
  const { onward } = awaited(loaded, flow)
  const { sure, some } = passed(loaded, flow, { start: 0, onward })
  return Math.min(
    chance(sure),
    ...some.map((start) => chance(new Set([...sure, ...passed(loaded, flow, { start, onward }).sure]))),
  )
}

/** What each request passes from a state on while its caller waits, and what only some go to from there. */
function passed(
  { states, streams }: Loaded,
  flow: Flow,
  { start, onward }: { start: number; onward: ReadonlySet<number> },
): { sure: Set<number>; some: number[] } {
  const sure = new Set([start])
  const some: number[] = []
  for (const state of sure) {
    const ways = (onward.has(state) ? (flow.leaving[state] ?? []) : []).flatMap((branch) => {
      const { stream = -1, to = -1, gain = 0 } = flow.branches[branch] ?? {}
      const element = streams[stream]?.element
      return element === undefined || isHeld(element) ? [] : [{ to, gain }]
    })
    const either = states[flow.states[state] ?? -1]?.node.kind === 'api' && ways.length > 1
    for (const { to, gain } of ways)
      if (either || Number.isNaN(gain)) some.push(to)
      else sure.add(to)
  }
  return { sure, some }
}

/** The part of `now` and `eventually` that is not in single points: whether any of several ways works. */
type Rest = { now: number; eventually: number; kept: number; error: number }

const mostStates = 200
const exactStates = 300
const samples = 2000

/** For each goal, that one of its ways works beyond its single points; null: too many ways. */
export function restOf(
  loaded: Loaded,
  { flow, tree }: Surveyed,
  given: Parts & {
    windows: Windows
    /** as windows, of what is kept nowhere */
    dropped: Windows
    outage: number
    budget: { left: number }
    seed: number
  },
): (goal: number, points: ReadonlySet<string>) => Rest | null {
  const into = new Int32Array(flow.next.length)
  for (const targets of flow.next) for (const to of targets) into[to] = (into[to] ?? 0) + 1
  // one way only, all the way down from the door
  const single = new Uint8Array(flow.next.length)
  for (const vertex of tree.preorder)
    single[vertex] = vertex === 0 || (into[vertex] === 1 && single[tree.parent[vertex] ?? 0] === 1) ? 1 : 0
  const works = (
    ids: readonly string[],
    points: ReadonlySet<string>,
    lasts: (id: string) => number,
  ): number =>
    ids.reduce((product, id) => {
      const node = points.has(id) ? undefined : given.byId.get(id)
      return node === undefined ? product : product * (1 - (1 - given.works(node)) * lasts(id))
    }, 1)
  /** Where a run of a machine in a state comes to its tasks, by their ids. */
  const taskStates = (from: number): ReadonlyMap<string, number> =>
    new Map(
      (flow.leaving[from] ?? []).flatMap((index) => {
        const to = flow.branches[index]?.to ?? -1
        const node = loaded.states[flow.states[to] ?? -1]?.node
        return node?.kind === 'task' ? [[node.id, to]] : []
      }),
    )
  /** `lasts`: whether the outage of something that is in this window counts as one, from 0 to 1. */
  const chancesOf = (
    points: ReadonlySet<string>,
    windows?: Windows,
    lasts: (window: number) => number = () => 1,
  ): Chances => ({
    at: (position) => {
      const state = loaded.states[flow.states[position] ?? -1]
      if (state === undefined) return 1
      const own = (id: string) => (id === state.node.id ? 'itself' : 'needs')
      return works([state.node.id, ...given.needs.at(state)], points, (id) =>
        lasts(windows?.[own(id)][position] ?? 0),
      )
    },
    over: ({ stream, from, to }) => {
      const element = loaded.streams[stream]?.element
      if (element === undefined) return 1
      const type = loaded.states[flow.states[from] ?? -1]?.type ?? anyType
      const before = given.needs.before(element, type)
      if (before.size === 0) return 1
      const tasks = taskStates(from)
      // it is given up by the first of those that it fails
      const windowOf = (id: string) =>
        (before.get(id) ?? []).reduce((least, one) => {
          const own = id === one ? 'itself' : 'needs'
          return Math.min(least, windows?.[own][tasks.get(one) ?? to] ?? 0)
        }, Number.POSITIVE_INFINITY)
      return works([...before.keys()], points, (id) => lasts(windowOf(id)))
    },
  })
  return (goal, points) => {
    const { vertex = 0, states = [] } = flow.goals[goal] ?? {}
    if (single[vertex] === 1) return { now: 1, eventually: 1, kept: 1, error: 0 }
    const before = ancestors(flow, states)
    given.budget.left -= before.length
    if (before.length > mostStates || given.budget.left < 0) return null
    const { windows, dropped, outage } = given
    const solved = [
      chancesOf(points),
      chancesOf(points, windows, (window) => (window >= outage ? 0 : 1)),
      chancesOf(points, dropped, (window) => lateIn(outage, window)),
    ].map((chances) => anyWay(flow, before, states, chances, given.seed))
    const [atOnce, delivered, notDropped] = solved
    return {
      now: atOnce?.value ?? 1,
      eventually: delivered?.value ?? 1,
      kept: notDropped?.value ?? 1,
      error: Math.max(...solved.map(({ error }) => error)),
    }
  }
}

/** That a state works, by its position, and that a run comes to a branch. */
type Chances = { at: (position: number) => number; over: (branch: Branch) => number }

/** Of what comes evenly during an outage, the part whose attempts end before it does: max(0, 1 - window / outage). */
export const lateIn = (outage: number, window: number): number => (window >= outage ? 0 : 1 - window / outage)

/** The states that lead to some, and those themselves, in order. */
function ancestors(flow: Flow, states: readonly number[]): number[] {
  const seen = new Set(states)
  const open = [...states]
  for (let state = open.pop(); state !== undefined; state = open.pop())
    for (const branch of flow.arriving[state] ?? []) {
      const from = flow.branches[branch]?.from ?? 0
      if (seen.has(from)) continue
      seen.add(from)
      open.push(from)
    }
  return [...seen].toSorted((a, b) => a - b)
}

/** Each state as an edge that holds by its chance, so that all ways through it fail together. */
function anyWay(
  flow: Flow,
  before: readonly number[],
  sinks: readonly number[],
  chances: Chances,
  seed: number,
): { value: number; error: number } {
  const place = new Map(before.map((state, position) => [state, position]))
  const end = 2 * before.length
  const links: Link[] = before.flatMap((state, position) => [
    { from: 2 * position, to: 2 * position + 1, reliability: chances.at(state) },
    ...(flow.leaving[state] ?? []).flatMap((index) => {
      const branch = flow.branches[index]
      const to = place.get(branch?.to ?? -1)
      if (branch === undefined || to === undefined) return []
      return [{ from: 2 * position + 1, to: 2 * to, reliability: chances.over(branch) }]
    }),
    ...(sinks.includes(state) ? [{ from: 2 * position + 1, to: end, reliability: 1 }] : []),
  ])
  if (links.every((link) => link.reliability === 1)) return { value: 1, error: 0 }
  return reliability(end + 1, links, 0, end, { directed: true, states: exactStates, samples, seed })
}
