import { identityText } from '../../core/identity.ts'
import type { Delivery, DeliveryKey, StoredEvent } from '../../core/ports.ts'
import type { Identity, RecordedEvent } from '../../events/envelope.ts'
import type { Meant, Mended } from './meant.ts'

/** What was seen to happen, written down where it takes effect: the invariants are held against this. */

export type Violation = {
  /** the invariant's name */
  invariant: string
  message: string
  /** whose steps are worth reading: an event's id, where it is about one */
  id?: string | undefined
}

export type Run = {
  message: string
  /** when its batch was handed over */
  since: number
  idempotencyKey: string
}

export type Observed = ReturnType<typeof observations>

export const deliveryText = ({ subscriber, replay, ...identity }: DeliveryKey): string =>
  `${identityText(identity)} -> ${subscriber}${replay === '' ? '' : ` (${replay})`}`

export function observations(now: () => number, traced: boolean) {
  const violations: Violation[] = []
  const seen = new Set<string>()
  const trace: { at: number; about: string; text: string }[] = []
  const texts = new Set<string>()

  return {
    violations,
    /** rare paths that were taken */
    seen,
    trace,
    /** Says that something rare has happened; a run of many schedules asserts that all of them have. */
    sometimes: (name: string): void => void seen.add(name),
    /** Once for each message. */
    violated(violation: Violation): void {
      if (texts.has(violation.message)) return
      texts.add(violation.message)
      violations.push(violation)
    },
    /** `about`: the id of the event, or '' */
    step(about: string, text: () => string): void {
      if (traced) trace.push({ at: now(), about, text: text() })
    },

    /** by project, subscriber and downstream: what came of acting on it, in the order of time */
    acts: new Map<string, { id: string; at: number; well: boolean }[]>(),
    acted({ project, source, id }: DeliveryKey, downstream: string, well: boolean): void {
      const name = `${project} ${downstream}`
      const all = this.acts.get(name) ?? []
      all.push({ id: identityText({ project, source, id }), at: now(), well })
      this.acts.set(name, all)
    },
    /** by project and subscriber: the circuits that were opened, and when */
    circuits: new Map<string, { downstream: string; at: number }[]>(),

    /** by project and subscriber: what it is parted from, since when, and whether one may try that */
    parted: new Map<string, Map<string, { since: number; tries: number }>>(),
    /** by project and subscriber: failures of handlers that were somebody's fault */
    failures: new Map<string, { event: string; downstream: string; why: string; at: number }[]>(),

    events: new Map<string, { stored: StoredEvent; at: number }>(),
    /** what has a sequence, by project and partition key */
    lanes: new Map<string, StoredEvent[]>(),
    deliveries: new Map<string, DeliveryKey & Delivery & { at: number }>(),
    /** by project and subscriber: since when it is paused */
    paused: new Map<string, number | undefined>(),
    /** by project and subscriber: when it last could not be read whether it is paused; then it runs */
    unsure: new Map<string, number>(),
    /** by delivery: when it was sent anew after it had been dead or parked */
    reopened: new Map<string, number[]>(),
    /** by delivery: redrives of it that were answered as done */
    redriven: new Map<string, number>(),
    /** by delivery: receives that were no attempt, as others kept changing the same, says its mark */
    uncounted: new Map<string, number>(),
    /** by delivery: messages that somebody who mends has sent */
    sentAnew: new Map<string, number>(),
    /** by job or drop: what was meant by it */
    meant: new Map<string, Meant>(),
    /** what was sent or dropped together with others, as it stood before */
    mended: [] as Mended[],
    /** by job: the states that it came to, and when */
    jobStates: new Map<string, { state: string; at: number }[]>(),
    /** by job: when it sent something, and how much had gone wrong until then */
    sentByJob: new Map<string, { at: number; faults: number }[]>(),
    /** by delivery: live ones that a queue has let go of */
    expired: new Map<string, { subscriber: string; event: RecordedEvent }>(),
    /** by project and name: what was written of something in quarantine, and when */
    settlements: new Map<string, { state: string; by: string; settled: string; at: number }>(),
    /** how much has gone wrong so far */
    faults: { count: 0 },
    /** messages whose handling failed for good: when, and how much had gone wrong until then */
    hopeless: new Map<string, { at: number; faults: number }>(),
    /** by delivery: changes that were committed with its mark */
    commits: new Map<string, number>(),
    /** by delivery: messages that were sent for the first time, says the sender */
    sentAsNew: new Map<string, number>(),
    /** by delivery */
    runs: new Map<string, Run[]>(),
    /** by delivery: the key of each effect of class outside that took place */
    effects: new Map<string, string[]>(),
    /** by delivery: those that were handed over of it */
    messages: new Map<string, Set<string>>(),
    /** by message: how often it was handed over */
    received: new Map<string, number>(),
    /** messages that were answered as handled, and when: nobody needs to see them again */
    answered: new Map<string, number>(),
    /** identities that arrived on the events bus */
    published: new Set<string>(),
    /** what could not be looked up, so that the product had to guess, as it says it does */
    guessed: new Set<string>(),
    /** by project, workflow and run: how its wait for an approval ended; undefined: nobody answered */
    waits: new Map<string, { decision: string | undefined; at: number }>(),
    /** ends of runs, and the deliveries that started them */
    ended: [] as { project: string; workflow: string; name: string; status: string; startedBy: string }[],
    /** runs that somebody has had started once more, and the deliveries that they are of */
    retried: [] as { workflow: string; name: string; startedBy: string }[],
  }
}

export const textOfEvent = ({ project, source, id }: Identity | RecordedEvent): string =>
  identityText({ project, source, id })
