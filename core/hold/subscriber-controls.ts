import { commitDecision } from '../commit-decision.ts'
import { Failure, isOfNewerCode, isTerminal, reasonForLogs } from '../errors.ts'
import { outboxItems } from '../event/outbox.ts'
import { boundedKey, identityText, uuid5 } from '../identity.ts'
import { releaseJob, releaseRate } from '../job/release-job.ts'
import type { Clock, Commit, DeliveryKey, Ephemeral, Memory, MemoryRecord } from '../ports.ts'
import { likeness } from '../reasons.ts'
import { claimed, closedAt, covering, failedAgain, mayProbe, open, undecided } from './circuit.ts'
import { closing, controlAuthor, openingCommit } from './circuit-commit.ts'
import {
  type Control,
  type Controls,
  controlOf,
  controlRecord,
  controlWrite,
  heldBack,
  pauseOf,
} from './control.ts'

export type ControlsDeps = {
  memory: Pick<Memory, 'get' | 'commit'>
  ephemeral: Pick<Ephemeral, 'tally'>
  clock: Clock
  newId: () => string
  subscriber: string
  /** its circuits open and close without an event: see isQuiet */
  quiet?: boolean | undefined
  /** is told what kept a control from being read, or a report from being written down: it goes on without */
  onFailure?: ((error: unknown) => void) | undefined
}

type Results = Parameters<Controls['report']>[2]
type Failed = Results['failed'][number]

/** Milliseconds for which what was read is good enough: to let run, while things fail, and to hold back. */
const readAgain = { calm: 5000, troubled: 1000 }
/**
 * Failures are counted by the minute. With each go the successes of its process since the last one, but only so many of
 * the last seconds: what went well before says little once a downstream has died, and deliveries have few attempts.
 */
const windowSeconds = 60
const recentSuccess = 5000
const mostRecent = 5
/** Different events that fail alike within a minute open a circuit, unless more than that went well. */
const enough = 5
/** One process remembers so many of what it has looked at or counted, and then begins anew. */
const mostKept = 1000
/** So many counters of one window at most: kinds of failure, and events of each, fall together beyond these. */
const kinds = 16
const slots = 512

/**
 * The controls of one subscriber, for one process: what it has read and counted is kept here. Many processes agree
 * through the control record (each change is a conditional commit, with its event) and through the tally of a minute.
 */
export function subscriberControls(deps: ControlsDeps): Controls {
  const { memory, ephemeral, clock, newId, subscriber, quiet } = deps
  const reads = new Map<string, { at: number; control: Promise<Control> }>()
  const counted = new Map<string, Counted>()
  const troubled = new Map<string, number>()
  const unsure = new Map<string, { error: unknown }>()
  const now = () => Date.parse(clock())

  /**
   * As it was at most so long ago; those who ask at once share one read. Where it cannot be read, as it was last known,
   * and held back by nothing if it never was: most deliveries need no memory, and attempts pass while it does not answer.
   */
  function controlWithin(project: string, milliseconds: number): Promise<Control> {
    const kept = reads.get(project)
    if (kept !== undefined && now() - kept.at < milliseconds) return kept.control
    const control = memory
      .get(controlRecord(project, subscriber))
      .then((record) => {
        unsure.delete(project)
        return controlOf(record)
      })
      .catch((error: unknown) => {
        deps.onFailure?.(error)
        troubled.set(project, now())
        unsure.set(project, { error })
        return kept?.control ?? controlOf(undefined)
      })
    return keep(project, control)
  }

  function keep(project: string, control: Promise<Control>): Promise<Control> {
    if (reads.size >= mostKept) reads.clear()
    reads.set(project, { at: now(), control })
    return control
  }

  /** Decides on what stands now, commits it, and knows it from then on. `decide` answers no change when all is well. */
  async function change<Answer>(
    project: string,
    decide: (
      state: Control,
      record: MemoryRecord | undefined,
    ) => { next?: Control; commit?: Commit; answer: Answer },
  ): Promise<Answer> {
    const decided = await commitDecision(
      (commit) => memory.commit(commit),
      `what holds back ${subscriber}`,
      async () => {
        const record = await memory.get(controlRecord(project, subscriber))
        const state = controlOf(record)
        const { next, answer, commit: own } = decide(state, record)
        const write = next && { writes: [controlWrite({ project, subscriber }, record, next)], outbox: [] }
        return { change: own ?? write, answer: { answer, state: next ?? state } }
      },
    )
    unsure.delete(project)
    await keep(project, Promise.resolve(decided.answer.state))
    return decided.answer.answer
  }

  /** Whether this delivery is the one that tries. */
  const claim = (project: string, downstream: string): Promise<'free' | 'probe' | 'held'> =>
    change(project, (state) => {
      if (pauseOf(state) !== undefined) return { answer: 'held' }
      const circuit = covering(state, downstream)
      if (circuit === undefined) return { answer: 'free' }
      if (!mayProbe(circuit, clock())) return { answer: 'held' }
      return { next: { ...state, ...claimed(state, circuit, clock()) }, answer: 'probe' }
    })

  const settleProbe = (project: string, downstream: string, results: Results): Promise<void> =>
    change(project, (state, record) => {
      const circuit = covering(state, downstream)
      if (circuit?.state !== 'half-open') return { answer: undefined }
      const at = clock()
      if (results.failed.some(countsAgainst))
        return { next: { ...state, ...failedAgain(state, circuit, at) }, answer: undefined }
      if (results.succeeded === 0)
        return { next: { ...state, ...undecided(state, circuit, at) }, answer: undefined }
      const parted = { project, subscriber, quiet }
      // what is paused would be parked again: whoever resumes it asks for what is parked then
      const release =
        pauseOf(state) === undefined
          ? releaseJob(parted, { id: newId(), by: 'system', at, rate: releaseRate })
          : undefined
      const how = { now: at, because: 'a probe succeeded', job: release?.job.id } as const
      const { next, emits } = closing(parted, state, [circuit], how)
      const write = controlWrite(parted, record, next)
      const told = outboxItems({ emits, sequence: write.version }, controlAuthor(project, 'system'))
      const commit = {
        writes: [write, ...(release ? [release.write] : [])],
        outbox: [...told, ...(release?.outbox ?? [])],
      }
      return { next, commit, answer: undefined }
    })

  /** Counts, together with all other processes; opens the circuit when it is enough. */
  async function count(project: string, downstream: string, results: Results): Promise<void> {
    const key = `${project} ${downstream}`
    const own = counted.get(key) ?? newlyCounted()
    if (counted.size >= mostKept) counted.clear()
    counted.set(key, own)
    const failures = firstFailures(own, results, now())
    if (failures.length === 0) return succeed(own, results.succeeded, now())
    troubled.set(project, now())
    const recent = own.recent.filter((at) => now() - at < recentSuccess).length
    own.recent = []
    const before = closedAt(await controlWithin(project, readAgain.calm), downstream)
    const window = ['circuit', project, subscriber, boundedKey(downstream), before ?? ''].join(' ')
    const amounts = amountsOf(failures, recent + results.succeeded, own.sums)
    const sums = await ephemeral.tally(window, amounts, windowSeconds)
    own.sums = sums
    const { ok: succeeded = 0, failed = 0 } = sums
    const most = failures
      .map((failure) => ({ ...failure, alike: alikeIn(sums, failure.kind) }))
      .reduce((a, b) => (b.alike > a.alike ? b : a))
    if (most.alike < enough || failed < succeeded) return
    await change(project, (state, record) => {
      const opening = open(state, { downstream, reason: most.like, now: clock() })
      if (opening === undefined) return { answer: undefined }
      const next = { ...state, ...opening.next }
      const counts = { alike: most.alike, failed, succeeded }
      const parted = { project, subscriber, quiet }
      return {
        next,
        commit: openingCommit(parted, record, { next, opened: opening.opened }, counts),
        answer: undefined,
      }
    })
  }

  const unsureOf = (project: string): { unsure?: { error: unknown } } => {
    const why = unsure.get(project)
    return why === undefined ? {} : { unsure: why }
  }

  return {
    async mayRun(project, downstream) {
      const isTroubled = now() - (troubled.get(project) ?? 0) < windowSeconds * 1000
      const known = await controlWithin(project, isTroubled ? readAgain.troubled : readAgain.calm)
      if (heldBack(known, downstream) === undefined) return { run: true, ...unsureOf(project) }
      // it may have been let go since: what is parked then waits for the sweep
      const control = await controlWithin(project, readAgain.troubled)
      const reason = heldBack(control, downstream)
      if (reason === undefined) return { run: true }
      const circuit = pauseOf(control) === undefined ? covering(control, downstream) : undefined
      if (circuit === undefined || !mayProbe(circuit, clock())) return { run: false, reason }
      const claimedAs = await claim(project, downstream).catch((error: unknown) => {
        deps.onFailure?.(error)
        return 'held' as const
      })
      if (claimedAs === 'held') return { run: false, reason }
      return claimedAs === 'probe' ? { run: true, probe: true } : { run: true }
    },

    async report(project, downstream, results) {
      try {
        if (results.probed) await settleProbe(project, downstream, results)
        else await count(project, downstream, results)
      } catch (error) {
        deps.onFailure?.(error)
      }
    },
  }
}

type Sums = Readonly<Record<string, number>>

/**
 * What one process knows of one downstream: times of its last successes, the events that failed lately, and what all
 * processes had counted when it last looked.
 */
type Counted = { recent: number[]; failed: Set<string>; since: number; sums: Sums }

const newlyCounted = (): Counted => ({ recent: [], failed: new Set(), since: 0, sums: {} })

function succeed(own: Counted, times: number, at: number): void {
  const more = Array.from({ length: Math.min(times, mostRecent) }, () => at)
  own.recent = [...own.recent, ...more].slice(-mostRecent)
}

/** The event is at fault, or nobody is: these say nothing about what a subscriber needs. */
const countsAgainst = ({ error }: Failed): boolean =>
  !isTerminal(error) && !isOfNewerCode(error) && !(error instanceof Failure && error.code === 'Busy')

type Counting = { event: string; like: string; kind: number }

/** Failures that count, of events that have not failed here within a minute: a retry is no further event. */
function firstFailures(own: Counted, { failed }: Results, at: number): Counting[] {
  if (at - own.since >= windowSeconds * 1000 || own.failed.size >= mostKept) {
    own.failed.clear()
    own.since = at
  }
  return failed.filter(countsAgainst).flatMap(({ key, error }) => {
    const event = eventText(key)
    if (own.failed.has(event)) return []
    own.failed.add(event)
    const like = likeness(`${error instanceof Failure ? `${error.code}: ` : ''}${reasonForLogs(error)}`)
    return [{ event, like, kind: oneOf(kinds, like) }]
  })
}

const eventText = (key: DeliveryKey): string => `${identityText(key)} ${key.replay}`

const oneOf = (many: number, text: string): number => Number.parseInt(uuid5(text).slice(0, 4), 16) % many

/**
 * One counter for each event that failed alike, so that one event counts once, whichever processes have tried it, until
 * there are enough; and how many went well or not.
 */
const amountsOf = (
  failures: readonly Counting[],
  succeeded: number,
  known: Sums,
): Record<string, number> => ({
  ok: succeeded,
  failed: failures.length,
  ...Object.fromEntries(
    failures
      .filter(({ kind }) => alikeIn(known, kind) < enough)
      .map(({ kind, event }) => [`f${kind}_${oneOf(slots, event)}`, 1]),
  ),
})

const alikeIn = (sums: Sums, kind: number): number =>
  Object.entries(sums).filter(([name, count]) => name.startsWith(`f${kind}_`) && count > 0).length
