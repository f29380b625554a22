import { isSyncStart } from '../awaited.ts'
import type { Loaded } from '../load.ts'
import { type Before, type MeshElement, type MeshNode, type NodeOf, nodesById, type Step } from '../model.ts'
import {
  added,
  type Extra,
  extrasOf,
  instant,
  longer,
  type Moments,
  meanOfExtras,
  momentsOf as momentsOfExtras,
} from './times.ts'
import type { Passage } from './waits.ts'

/** What something takes that is waited for. */
export type Run = {
  /** null: something waits there without end */
  delay: Moments | null
  extras: readonly Extra[]
  /** nodes of which it is not known, so that it is at least this */
  untimed: readonly string[]
}

type Crossing = { sent: Run; handled: Run }

/** What ways take beside their elements: what handles, and what a state machine runs before. */
export type Runs = {
  /** over an element: before what goes over it is sent, and from there up to the end of the handling */
  over: (element: MeshElement) => Crossing
  /** at a node: where a way begins, and beside that where it ends */
  handled: (node: MeshNode) => Run
  ended: (node: MeshNode) => Run
}

const none: Run = { delay: instant, extras: [], untimed: [] }
const taking = (delay: Moments): Run => ({ ...none, delay })
const unknown = (...untimed: string[]): Run => ({ ...none, untimed })

function joined(one: Run, other: Run): Run {
  if (one === none) return other
  if (other === none) return one
  return {
    delay: one.delay === null || other.delay === null ? null : added(one.delay, other.delay),
    extras: extrasOf([one.extras, other.extras].filter((extras) => extras.length > 0)),
    untimed: [...new Set([...one.untimed, ...other.untimed])],
  }
}

/** Seconds, with what comes on top; Infinity: without end. */
export const meanOfRun = ({ delay, extras }: Run): number =>
  delay === null ? Number.POSITIVE_INFINITY : delay.mean + meanOfExtras(extras)

/** The longest, and what is not known of the others, which may be longer. */
const longestOf = (all: readonly Run[]): Run => ({
  ...all.reduce((longest, run) => (meanOfRun(run) > meanOfRun(longest) ? run : longest), none),
  untimed: [...new Set(all.flatMap(({ untimed }) => untimed))],
})

/** Until all of them are over, that run at once. */
function allOf(runs: readonly Run[]): Run {
  const [first = none, ...others] = runs
  if (others.length === 0) return first
  const moments = runs.map(momentsOf)
  const delay = moments.reduce((one, other) => one && other && longer(one, other))
  return { ...none, delay: delay ?? null, untimed: [...new Set(runs.flatMap(({ untimed }) => untimed))] }
}

/** With what comes on top in them. */
function momentsOf(run: Run): Moments | null {
  if (run.delay === null) return null
  return run.extras.length === 0 ? run.delay : added(run.delay, momentsOfExtras(run.extras))
}

function repeated(run: Run, times: number): Run {
  const once = momentsOf(run)
  if (times === 1 || once === null) return run
  const delay = { mean: times * once.mean, variance: times * once.variance }
  return { ...taking(delay), untimed: run.untimed }
}

/** Services whose call is over when they have taken what they are given, which takes a moment. */
const takers: ReadonlySet<string> = new Set([
  ...['sqs', 'sns', 'events', 'kinesis', 'dynamodb', 's3', 'ecs', 'states'],
])
const isTaken = (action: string): boolean =>
  action === 'lambda:InvokeAsync' ||
  (takers.has(action.slice(0, action.indexOf(':'))) && !isSyncStart(action))

/** Whether a task goes on only when what it calls has answered. */
export const isAwaited = ({ settings: { integration, action } }: NodeOf<'task'>): boolean =>
  integration === 'sync' || (integration === 'request' && !isTaken(action))

/** What each node and element takes, in its run and before. */
export function runsOf(loaded: Loaded, passages: ReadonlyMap<string, Passage>): Runs {
  const { mesh, service, occupancy } = loaded
  const nodes = nodesById(mesh)
  const leaving = Map.groupBy(mesh.elements, ({ from }) => from)
  const known = new Map<string, Run>()
  /** Once for each; of what waits for itself nothing is known. */
  const once = (what: string, id: string, find: () => Run): Run => {
    const key = `${what} ${id}`
    const found = known.get(key)
    if (found !== undefined) return found
    known.set(key, unknown(id))
    const run = find()
    known.set(key, run)
    return run
  }
  const ownOf = (id: string): Run | undefined => {
    const times = service.get(id)
    return times && taking({ mean: times.mean, variance: times.scv * times.mean ** 2 })
  }
  const taskAt = (workflow: string, path: string): NodeOf<'task'> | undefined => {
    const node = nodes.get(`${workflow}#${path}`)
    return node?.kind === 'task' ? node : undefined
  }

  const stepsOf = (workflow: string, steps: readonly Step[]): Run =>
    steps.reduce((sum, step) => joined(sum, stepOf(workflow, step)), none)
  const stepOf = (workflow: string, step: Step): Run => {
    if ('task' in step) return runOf(taskAt(workflow, step.task))
    if ('seconds' in step) return taking({ mean: step.seconds, variance: 0 })
    if ('longest' in step) return allOf(step.longest.map((steps) => stepsOf(workflow, steps)))
    return repeated(stepsOf(workflow, step.steps), step.times)
  }
  /** `at`: what is said not to be known where something before is not. */
  const upTo = (workflow: string, at: string, before: Before | undefined): Run => {
    if (before === undefined) return none
    const task = before.after === undefined ? undefined : taskAt(workflow, before.after)
    const all = joined(
      task === undefined ? none : joined(beforeOf(task), runOf(task)),
      stepsOf(workflow, before.steps),
    )
    return before.unknown.length === 0 ? all : joined(all, unknown(at))
  }
  const beforeOf = (task: NodeOf<'task'>): Run =>
    once('before', task.id, () => upTo(task.settings.workflow, task.id, task.settings.before))
  const wholeOf = ({ id, settings: { run } }: NodeOf<'workflow'>): Run =>
    run === undefined ? unknown(id) : once('whole', id, () => upTo(id, id, run))

  /** What a task waits for that it calls. */
  const answerOf = (element: MeshElement): Run => {
    const to = nodes.get(element.to)
    const { delay = instant, extras = [] } = passages.get(element.id) ?? {}
    const handled = ownOf(element.to) ?? (to?.kind === 'workflow' ? wholeOf(to) : unknown(element.to))
    return joined({ ...none, delay, extras }, handled)
  }
  const runOf = (task: NodeOf<'task'> | undefined): Run =>
    task === undefined ? none : once('run', task.id, () => measured(task))
  const measured = (task: NodeOf<'task'>): Run => {
    const own = ownOf(task.id)
    // what answers by a token does so whenever it likes
    if (!isAwaited(task)) return own ?? (task.settings.integration === 'token' ? unknown(task.id) : none)
    const called = leaving.get(task.id) ?? []
    const longest = called.length === 0 ? unknown(task.id) : longestOf(called.map(answerOf))
    if (own === undefined) return longest
    // its own time is all of it, but no state ends before what it waits for
    const isWhole = longest.delay !== null && own.delay !== null && own.delay.mean >= longest.delay.mean
    return isWhole ? own : { ...longest, untimed: [] }
  }

  const handled = ({ id, kind }: MeshNode): Run => {
    if (kind === 'task' || kind === 'workflow') return none
    const own = ownOf(id) ?? (kind === 'function' || kind === 'service' ? unknown(id) : none)
    return kind === 'pipe' && service.has(id) && !occupancy.has(id)
      ? joined(own, unknown(...callsOf(id)))
      : own
  }
  /** What a pipe waits for of which nobody has said how long it takes, so that nobody knows the wait for its place. */
  const callsOf = (id: string): string[] =>
    (leaving.get(id) ?? []).flatMap(({ kind, to }) => (kind === 'invoke' && !service.has(to) ? [to] : []))
  const handledBy = (from: MeshNode | undefined, to: MeshNode): Run => {
    if (to.kind === 'task' && from?.id === to.settings.workflow) return beforeOf(to)
    if (from?.kind !== 'task' || to.kind === 'workflow') return handled(to)
    // the task waits for the answer: its time is that of what it calls
    return ownOf(to.id) ?? ownOf(from.id) ?? (to.kind === 'external' ? unknown(to.id) : handled(to))
  }
  const over = (element: MeshElement): Crossing => {
    const [from, to] = [nodes.get(element.from), nodes.get(element.to)]
    if (to === undefined) return { sent: none, handled: none }
    if (from?.kind === 'task') {
      if (isAwaited(from)) return { sent: none, handled: handledBy(from, to) }
      // who sends and waits for an answer has sent before
      const isSent = from.settings.integration === 'request'
      return { sent: (isSent ? ownOf(from.id) : undefined) ?? none, handled: handled(to) }
    }
    const before = from?.kind === 'pipe' ? enrichedFor(from, element) : none
    const isSaid = from?.kind === 'workflow' && element.kind === 'call'
    // what is polled is handled with who comes with it
    const { handling } = passages.get(element.id) ?? {}
    return {
      sent: isSaid ? sentBy(from, element.by ?? []) : before,
      handled: handling === undefined ? handledBy(from, to) : taking(handling),
    }
  }
  /** What a pipe waits for before it hands on. */
  const enrichedFor = ({ id, settings: { enrichment } }: NodeOf<'pipe'>, { to }: MeshElement): Run => {
    const asks = to === enrichment ? undefined : leaving.get(id)?.find((each) => each.to === enrichment)
    return asks === undefined ? none : answerOf(asks)
  }
  /** What is said of a state machine: sent at the earliest by that of its tasks which comes first. */
  const sentBy = (workflow: NodeOf<'workflow'>, by: readonly string[]): Run => {
    const tasks = by.flatMap((id) => nodes.get(id) ?? []).filter((node) => node.kind === 'task')
    const befores = tasks.map(beforeOf)
    const [first] = befores.toSorted((a, b) => meanOfRun(a) - meanOfRun(b))
    if (first === undefined) return unknown(workflow.id)
    return befores.length === 1 ? first : joined(first, unknown(workflow.id))
  }
  const ended = (node: MeshNode): Run => {
    if (node.kind === 'workflow') return ownOf(node.id) ?? wholeOf(node)
    return node.kind === 'task' ? runOf(node) : none
  }
  const crossings = new Map<string, Crossing>()
  return {
    handled,
    ended,
    over: (element) => {
      const found = crossings.get(element.id) ?? over(element)
      crossings.set(element.id, found)
      return found
    },
  }
}
