import type { Job } from './answers-mending.ts'
import { fields, localTime, type Paint, state } from './output.ts'

/** A redrive of an ordered route sends on what was parked behind the dead, which it was not asked for by name. */
const following = ({ matched, sent = 0 }: Job['counts']): string =>
  matched !== undefined && sent > matched
    ? ` (${sent - matched} of them parked behind those that matched)`
    : ''

/** `12 matched, 10 sent, 9 done`; nothing yet: the empty text. */
export const countsText = (counts: Job['counts']): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}${name === 'sent' ? following(counts) : ''}`)
    .join(', ')

export const jobText = (job: Job, p: Paint): string =>
  [
    `${p.bold(job.kind)} ${job.id} ${state(p, job.state)}`,
    fields(p, {
      of: job.subscriber,
      asked: `${localTime(job.asked)} by ${job.by}`,
      selection: job.selection === undefined ? undefined : JSON.stringify(job.selection),
      rate: `${job.rate} a second`,
      so_far: countsText(job.counts),
      ended: job.ended && localTime(job.ended),
      reason: job.reason && p.red(job.reason),
      incomplete: job.incomplete && p.red(job.incomplete),
      run: `${job.run.workflow} ${job.run.run}, attempt ${job.attempt}`,
      next:
        job.state === 'interrupted' || job.state === 'paused' ? `loadpath jobs resume ${job.id}` : undefined,
    }),
  ].join('\n')
