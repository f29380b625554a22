import type { Job } from '../../core/job/job.ts'
import { type Held, jobsIn, type Wrong } from './held.ts'
import type { Observed } from './observed.ts'

/** What must hold of jobs while they go on: they send at their rate, while nobody has paused or stopped them. */

/** A job was written. */
export function noteState({ id, kind, state }: Job, { jobStates, violated }: Observed, at: number): void {
  const states = jobStates.get(id) ?? []
  const before = states.at(-1)?.state
  if (before === 'done' || before === 'stopped')
    violated({ invariant: 'what has ended stays so', message: `the ${kind} ${id} was ${before} and goes on` })
  if (before !== state) jobStates.set(id, [...states, { state, at }])
}

/** It has sent something. */
export function noteSent(job: string, { sentByJob, faults }: Observed, at: number): void {
  sentByJob.set(job, [...(sentByJob.get(job) ?? []), { at, faults: faults.count }])
}

/** Milliseconds until a batch has come to the end of its slice: of a second's sending, or where calls take their time. */
const sliceOf = ({ stage }: Held): number => (stage.isPrompt ? 5000 : 75_000)

/** A job that was paused or stopped ends with the slice that it is at. */
export const jobsSendWhileTheyMay = (held: Held): Wrong[] =>
  [...held.observed.sentByJob].flatMap(([job, sent]): Wrong[] => {
    const states = held.observed.jobStates.get(job) ?? []
    return sent.flatMap(({ at }): Wrong[] => {
      const last = states.findLast((one) => one.at <= at)
      if (last === undefined || last.state === 'running' || at - last.at < sliceOf(held)) return []
      return [
        { message: `job ${job} was ${last.state} and sent something ${Math.round(at - last.at)} ms later` },
      ]
    })
  })

/** What is sent at once, in seconds of the rate; a replay sends what five seconds allow, and waits. */
const ahead = { redrive: 2, replay: 10, rebuild: 10 } as const

/** A job sends no faster than it was asked to; what has crashed sends its slice once more. */
export const jobsKeepTheirRate = (held: Held): Wrong[] =>
  jobsIn(held).flatMap(({ job: { id, kind, rate, subscriber } }): Wrong[] => {
    if (!held.stage.isPrompt) return []
    const sent = held.observed.sentByJob.get(id) ?? []
    const isTooMany = sent.some((first, from) =>
      sent.slice(from).some(({ at, faults }, more) => {
        const seconds = (at - first.at) / 1000 + ahead[kind] * (1 + faults - first.faults)
        return more + 1 > rate * seconds
      }),
    )
    const when = sent.map(({ at }) => Math.round(at - (sent[0]?.at ?? 0))).join(', ')
    return isTooMany
      ? [
          {
            message: `the ${kind} ${id} of ${subscriber} sends ${rate} a second, and did so after ms ${when}`,
          },
        ]
      : []
  })
