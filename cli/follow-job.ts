import type { Job } from './answers-mending.ts'
import type { Api } from './api.ts'
import type { Cli } from './context.ts'
import { CommandError } from './faults.ts'
import { pause } from './io.ts'
import { countsText } from './job-view.ts'

const everyMilliseconds = 1000
/** A run that has ended before its job may be followed by another: somebody resumes it, or it hands over. */
const patienceWithRuns = 60_000

/**
 * Shows how far a job is until it has ended: on a terminal in one line that is written anew, else a line for each change.
 * A job that did not come to its end, or not whole, makes the command fail. One that is interrupted may go on: that is waited for, a
 * minute.
 */
export async function followJob(cli: Cli, api: Pick<Api, 'job'>, id: string): Promise<Job> {
  const signal = cli.io.interrupted()
  const line = progressLine(cli)
  const { patiently } = await import('./follow.ts')
  const patient = patiently(cli)
  let interruptedSince: number | undefined
  for (;;) {
    const found = await patient(() => api.job(id))
    if (found !== undefined) {
      line.show(progressText(found))
      interruptedSince = found.state === 'interrupted' ? (interruptedSince ?? cli.io.now()) : undefined
      const goesOn =
        interruptedSince === undefined
          ? found.state === 'running'
          : cli.io.now() - interruptedSince < patienceWithRuns
      if (!goesOn) {
        line.end()
        if (!isWhole(found)) cli.failed()
        return found
      }
    }
    await pause(everyMilliseconds, signal)
    if (signal.aborted) {
      line.end()
      throw new CommandError(`interrupted; the job goes on: loadpath jobs show ${id}`)
    }
  }
}

const progressText = (job: Job): string =>
  `${job.kind} ${job.id} ${job.state}: ${countsText(job) || (job.state === 'running' ? 'nothing yet' : 'nothing matched')}`

/** What a redrive was to send, and is not on its way to a good end. */
const amiss = ['died', 'skipped', 'blocked', 'unreadable']

const isWhole = ({ state, incomplete, counts }: Job): boolean =>
  state === 'done' && incomplete === undefined && amiss.every((name) => !counts[name])

function progressLine(cli: Cli): { show: (text: string) => void; end: () => void } {
  const { err, columns = 80 } = cli.io
  if (cli.json()) return { show: () => undefined, end: () => undefined }
  let last = ''
  if (!err.colours)
    return {
      show: (text) => {
        if (text !== last) cli.note(text)
        last = text
      },
      end: () => undefined,
    }
  return {
    show: (text) => {
      last = text.slice(0, columns - 1)
      err.write(`\r\u001b[2K${last}`)
    },
    end: () => {
      if (last !== '') err.write('\n')
    },
  }
}
