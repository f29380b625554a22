import type { Job } from './answers-mending.ts'
import { fields, localTime, type Paint, state } from './output.ts'

type Progress = Pick<Job, 'state' | 'counts'>

/** A redrive of an ordered route sends on what was parked behind the dead, which it was not asked for by name. */
const following = ({ matched, sent = 0 }: Job['counts']): string =>
  matched !== undefined && sent > matched
    ? ` (${sent - matched} of them parked behind those that matched)`
    : ''

/** Of a job that has ended, nobody but the sweep goes on with what is parked. */
function leftParked({ state, counts: { parked = 0 } }: Progress): string | undefined {
  if (parked === 0 || (state !== 'done' && state !== 'stopped')) return undefined
  const them = parked === 1 ? 'it' : 'them'
  return `${parked} left parked: the sweep sends ${them} within minutes, unless something holds ${them}`
}

/** `12 matched, 10 sent, 9 done`; nothing yet: the empty text. */
export function countsText({ state, counts }: Progress): string {
  const left = leftParked({ state, counts })
  const told = Object.entries(counts)
    .filter(([name]) => name !== 'parked' || left === undefined)
    .map(([name, count]) => `${count} ${name}${name === 'sent' ? following(counts) : ''}`)
  return [...told, ...(left === undefined ? [] : [left])].join(', ')
}

export const jobText = (job: Job, p: Paint): string =>
  [
    `${p.bold(job.kind)} ${job.id} ${state(p, job.state)}`,
    fields(p, {
      of: job.subscriber,
      asked: `${localTime(job.asked)} by ${job.by}`,
      selection: job.selection === undefined ? undefined : JSON.stringify(job.selection),
      rate: `${job.rate} a second`,
      so_far: countsText(job),
      ended: job.ended && localTime(job.ended),
      reason: job.reason && p.red(job.reason),
      incomplete: job.incomplete && p.red(job.incomplete),
      run: `${job.run.workflow} ${job.run.run}, attempt ${job.attempt}`,
      next:
        job.state === 'interrupted' || job.state === 'paused' ? `loadpath jobs resume ${job.id}` : undefined,
    }),
  ].join('\n')
