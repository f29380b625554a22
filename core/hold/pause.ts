import type { Route } from '../../events/route.ts'
import { subscriberPaused } from '../../events/subscriber.paused.ts'
import { subscriberResumed } from '../../events/subscriber.resumed.ts'
import { commitDecision } from '../commit-decision.ts'
import { Failure } from '../errors.ts'
import { outboxItems } from '../event/outbox.ts'
import { releaseJob } from '../job/release-job.ts'
import type { Clock, History, Memory } from '../ports.ts'
import { closing, controlAuthor, isQuiet } from './circuit-commit.ts'
import { type Control, controlOf, controlRecord, controlWrite, type Pause, pauseOf } from './control.ts'

export type PauseDeps = {
  memory: Pick<Memory, 'get' | 'commit'>
  history: Pick<History, 'openMarks'>
  clock: Clock
  newId: () => string
  routes: readonly Route[]
}

/** Every subscriber that can be paused. */
export const everyone = 'all'

/** `subscriber`: a name of the routes, or `all`. */
type Command = { project: string; subscriber: string; by: string }

/** `rebuild`: the job that holds the subscriber back as well, until it ends. */
type Beside = { rebuild?: string | undefined }

/** `changed`: false where it was paused already, and by whom it was. */
export type Paused = Beside & { subscriber: string; changed: boolean; paused: Pause }

/** `job` sends what was parked. `open`: downstreams whose circuits still hold something back. */
export type Resumed = Beside & {
  subscriber: string
  changed: boolean
  closed: readonly string[]
  open: readonly string[]
  job?: string | undefined
}

/**
 * From now on (some seconds, for processes that have looked a moment ago) what comes for a subscriber is parked. One
 * transaction for each subscriber, so that of `all` those that were reached are paused when it fails. Of `all` a reason is
 * needed: nothing is handled any more, and whoever comes upon that is to learn why.
 * @throws Failure NotFound, Conflict, Invalid, Busy
 */
export async function pause(
  command: Command & { reason?: string | undefined },
  deps: PauseDeps,
): Promise<Paused[]> {
  if (command.subscriber === everyone && command.reason === undefined)
    throw new Failure('Invalid', 'to pause everything needs a reason', {
      faults: [{ path: 'reason', expected: 'why everything is paused', got: 'nothing' }],
    })
  const all: Paused[] = []
  for (const { subscriber } of pausable(deps.routes, command.subscriber))
    all.push(await pauseOne({ ...command, subscriber }, deps))
  return all
}

type Held = { project: string; subscriber: string; by: string; reason?: string | undefined }

const pauseOne = async ({ project, subscriber, by, reason }: Held, deps: PauseDeps): Promise<Paused> => {
  const said = reason === undefined ? {} : { reason }
  return hold<Paused>({ project, subscriber, by, ...said }, deps, (state, at) => {
    const beside = { rebuild: state.rebuild?.job }
    if (state.paused !== undefined)
      return { answer: { subscriber, changed: false, paused: state.paused, ...beside } }
    const paused = { by, at, ...said }
    return { next: { ...state, paused }, answer: { subscriber, changed: true, paused, ...beside } }
  })
}

/**
 * Pauses the subscriber of a rebuild, beside whatever else holds it back. Answers what holds it for a rebuild: another
 * one may be before.
 * @throws Failure Busy
 */
export const pauseForRebuild = (
  { project, subscriber, by }: Held,
  job: string,
  deps: PauseDeps,
): Promise<NonNullable<Control['rebuild']>> =>
  hold({ project, subscriber, by, reason: `rebuild ${job}` }, deps, (state, at) => {
    if (state.rebuild !== undefined) return { answer: state.rebuild }
    const rebuild = { job, by, at }
    return { next: { ...state, rebuild }, answer: rebuild }
  })

/** One more reason to hold a subscriber back, told of in the same commit. */
async function hold<Answer>(
  { project, subscriber, by, reason }: Held,
  { memory, clock }: PauseDeps,
  decide: (state: Control, now: string) => { next?: Control; answer: Answer },
): Promise<Answer> {
  const { answer } = await commitDecision(
    (change) => memory.commit(change),
    `what holds back ${subscriber}`,
    async () => {
      const record = await memory.get(controlRecord(project, subscriber))
      const decided = decide(controlOf(record), clock())
      if (decided.next === undefined) return { change: undefined, answer: decided.answer }
      const write = controlWrite({ project, subscriber }, record, decided.next)
      const data = { subscriber, ...(reason === undefined ? {} : { reason }) }
      const emits = [{ type: subscriberPaused, data }]
      const outbox = outboxItems({ emits, sequence: write.version }, controlAuthor(project, by))
      return { change: { writes: [write], outbox }, answer: decided.answer }
    },
  )
  return answer
}

/**
 * Takes the pause back, and with `circuits` closes what is open by hand; asks for what is parked to be sent, `rate` a
 * second. One transaction for each subscriber, so that of `all` those that were reached are resumed when it fails. The
 * pause of a rebuild is that rebuild's: of one subscriber it is refused, of `all` the answer names it.
 * @throws Failure NotFound, Conflict, Busy
 */
export async function resume(
  command: Command & { rate: number; circuits: boolean },
  deps: PauseDeps,
): Promise<Resumed[]> {
  const resumed: Resumed[] = []
  for (const { subscriber } of pausable(deps.routes, command.subscriber))
    resumed.push(await resumeOne({ ...command, subscriber, takesBack: 'paused' }, deps))
  const [only] = resumed
  if (command.subscriber !== everyone && only?.changed === false && only.rebuild !== undefined)
    throw new Failure(
      'Conflict',
      `${only.subscriber} is paused by the rebuild ${only.rebuild}, which resumes it when it ends; loadpath jobs stop ${only.rebuild} ends it before`,
    )
  return resumed
}

/**
 * Takes the pause of a rebuild back, and has sent what was parked, unless something else holds it back or the subscriber
 * has left the routes.
 */
export const resumeForRebuild = (command: Command & { rate: number }, deps: PauseDeps): Promise<Resumed> =>
  resumeOne({ ...command, circuits: false, takesBack: 'rebuild' }, deps)

type TakingBack = Command & { rate: number; circuits: boolean; takesBack: 'paused' | 'rebuild' }

async function resumeOne(
  { project, subscriber, by, rate, circuits, takesBack }: TakingBack,
  { memory, history, clock, newId, routes }: PauseDeps,
): Promise<Resumed> {
  const route = routes.find((one) => one.subscriber === subscriber)
  const parted = { project, subscriber, quiet: route !== undefined && isQuiet(route) }
  const decided = await commitDecision(
    (change) => memory.commit(change),
    `what holds back ${subscriber}`,
    async () => {
      const record = await memory.get(controlRecord(project, subscriber))
      const state = controlOf(record)
      const taken = state[takesBack]
      const without: Control = { ...state, [takesBack]: undefined }
      const gone = circuits ? state.circuits : []
      const left = circuits ? [] : state.circuits.map(({ downstream }) => downstream)
      const rebuild = without.rebuild?.job
      const nothing: Resumed = { subscriber, changed: false, closed: [], open: left, rebuild }
      if (taken === undefined && gone.length === 0) return { change: undefined, answer: nothing }
      const now = clock()
      // what is still paused, or held back by the circuit of the whole subscriber, would be parked again: whoever ends that
      // asks for it
      const isFree = route !== undefined && pauseOf(without) === undefined && !left.includes('')
      const isParked = isFree && (await hasParked({ project, subscriber }, history))
      const release = isParked ? releaseJob(parted, { id: newId(), by, at: now, rate }) : undefined
      const job = release?.job.id
      const { next, emits } = closing(parted, without, gone, { now, because: 'somebody closed it', job })
      const write = controlWrite(parted, record, next)
      const data = {
        subscriber,
        ...(taken === undefined ? {} : { paused: taken.at }),
        circuits: gone.map(({ downstream }) => downstream),
        ...(job === undefined ? {} : { job, rate }),
      }
      const outbox = outboxItems(
        { emits: [{ type: subscriberResumed, data }, ...emits], sequence: write.version },
        controlAuthor(project, by),
      )
      const change = {
        writes: [write, ...(release ? [release.write] : [])],
        outbox: [...outbox, ...(release?.outbox ?? [])],
      }
      const answer = { subscriber, changed: true, closed: data.circuits, open: left, job, rebuild }
      return { change, answer }
    },
  )
  return decided.answer
}

/** Goes by an index: what was parked a moment ago may not show yet, and is the sweep's to send. */
const hasParked = async (
  of: { project: string; subscriber: string },
  history: Pick<History, 'openMarks'>,
): Promise<boolean> => (await history.openMarks({ ...of, state: 'parked', limit: 1 })).items.length > 0

/** The routes that a name stands for. @throws Failure NotFound with the names there are; Conflict */
function pausable(routes: readonly Route[], name: string): readonly Route[] {
  const able = routes.filter((route) => route.unpausable === undefined)
  if (name === everyone) return able
  const route = routes.find(({ subscriber }) => subscriber === name)
  if (route === undefined) {
    const known = [...able.map(({ subscriber }) => subscriber), everyone].join(', ')
    throw new Failure('NotFound', `there is no subscriber ${name}`, {
      faults: [{ path: 'path.subscriber', expected: `one of ${known}`, got: name }],
    })
  }
  if (route.unpausable !== undefined)
    throw new Failure('Conflict', `${name} is not paused or resumed: ${route.unpausable}`)
  return [route]
}
