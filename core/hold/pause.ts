import type { Route } from '../../events/route.ts'
import { subscriberPaused } from '../../events/subscriber.paused.ts'
import { subscriberResumed } from '../../events/subscriber.resumed.ts'
import { commitDecision } from '../commit-decision.ts'
import { Failure } from '../errors.ts'
import { outboxItems } from '../event/outbox.ts'
import { releaseJob } from '../job/release-job.ts'
import type { Clock, History, Memory } from '../ports.ts'
import { closing, controlAuthor, isQuiet } from './circuit-commit.ts'
import { type Control, controlOf, controlRecord, controlWrite } from './control.ts'

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

/** `changed`: false where it was paused already, and by whom it was. */
export type Paused = { subscriber: string; changed: boolean; paused: NonNullable<Control['paused']> }

/** `job` sends what was parked. `open`: downstreams whose circuits still hold something back. */
export type Resumed = {
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

async function pauseOne(
  { project, subscriber, by, reason }: Parameters<typeof pause>[0],
  { memory, clock }: PauseDeps,
): Promise<Paused> {
  const { answer } = await commitDecision(
    (change) => memory.commit(change),
    `what holds back ${subscriber}`,
    async () => {
      const record = await memory.get(controlRecord(project, subscriber))
      const state = controlOf(record)
      if (state.paused !== undefined)
        return { change: undefined, answer: { subscriber, changed: false, paused: state.paused } }
      const said = reason === undefined ? {} : { reason }
      const paused = { by, at: clock(), ...said }
      const write = controlWrite({ project, subscriber }, record, { ...state, paused })
      const emits = [{ type: subscriberPaused, data: { subscriber, ...said } }]
      const outbox = outboxItems({ emits, sequence: write.version }, controlAuthor(project, by))
      return { change: { writes: [write], outbox }, answer: { subscriber, changed: true, paused } }
    },
  )
  return answer
}

/**
 * Takes the pause back, and with `circuits` closes what is open by hand; asks for what is parked to be sent, `rate` a
 * second. One transaction for each subscriber, so that of `all` those that were reached are resumed when it fails.
 * @throws Failure NotFound, Conflict, Busy
 */
export async function resume(
  command: Command & { rate: number; circuits: boolean },
  deps: PauseDeps,
): Promise<Resumed[]> {
  const resumed: Resumed[] = []
  for (const route of pausable(deps.routes, command.subscriber))
    resumed.push(await resumeOne(route, command, deps))
  return resumed
}

async function resumeOne(
  route: Route,
  { project, by, rate, circuits }: Parameters<typeof resume>[0],
  { memory, history, clock, newId }: PauseDeps,
): Promise<Resumed> {
  const { subscriber } = route
  const parted = { project, subscriber, quiet: isQuiet(route) }
  const decided = await commitDecision(
    (change) => memory.commit(change),
    `what holds back ${subscriber}`,
    async () => {
      const record = await memory.get(controlRecord(project, subscriber))
      const state = controlOf(record)
      const gone = circuits ? state.circuits : []
      const left = circuits ? [] : state.circuits.map(({ downstream }) => downstream)
      const nothing: Resumed = { subscriber, changed: false, closed: [], open: left }
      if (state.paused === undefined && gone.length === 0) return { change: undefined, answer: nothing }
      const now = clock()
      // what the circuit of the whole subscriber holds back would be parked again: its closing asks for it
      const isParked = !left.includes('') && (await hasParked({ project, subscriber }, history))
      const release = isParked ? releaseJob(parted, { id: newId(), by, at: now, rate }) : undefined
      const job = release?.job.id
      const { next, emits } = closing(parted, state, gone, { now, because: 'somebody closed it', job })
      const { paused, ...free } = next
      const write = controlWrite(parted, record, free)
      const data = {
        subscriber,
        ...(paused === undefined ? {} : { paused: paused.at }),
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
      return { change, answer: { subscriber, changed: true, closed: data.circuits, open: left, job } }
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
