import type { Command } from 'commander'
import type { Resumed } from '../answers.ts'
import type { Cli } from '../context.ts'
import { examples, plainId, upToThousand } from '../options.ts'
import { count, type Paint } from '../output.ts'

export function resume(program: Command, cli: Cli): void {
  program
    .command('resume')
    .argument('<subscriber>', 'a function or workflow of the routes, or `all`', plainId)
    .description('let a subscriber run again, and send it what was parked')
    .option('--rate <n>', 'parked deliveries that are sent a second, 1 to 1000; default: 50', upToThousand)
    .option('--circuit', 'close its open circuits as well, without waiting for a probe')
    .addHelpText(
      'after',
      examples('resume notify', 'resume notify --rate 5', 'resume publish --circuit', 'resume all'),
    )
    .action(async (subscriber: string, { rate, circuit }: { rate?: number; circuit?: boolean }) => {
      const api = await cli.api()
      const answer = await api.resume(subscriber, {
        ...(rate === undefined ? {} : { rate }),
        circuits: circuit === true,
      })
      cli.show(answer, ({ items }, p) => items.map((item) => line(item, p)).join('\n'))
      const jobs = answer.items.flatMap(({ job }) => job ?? [])
      if (jobs.length > 0)
        cli.note(
          `What was parked is being sent: ${jobs.map((job) => `loadpath jobs show ${job}`).join('; ')}`,
        )
    })
}

function line({ subscriber, changed, closed, open, job, rebuild }: Resumed, p: Paint): string {
  const left =
    open.length === 0
      ? ''
      : ` ${count(open.length, 'circuit')} ${open.length === 1 ? 'is' : 'are'} open: each closes when a probe succeeds, or with --circuit.`
  if (!changed && rebuild !== undefined)
    return `${p.bold(subscriber)} stays paused: the rebuild ${rebuild} resumes it when it ends.${left}`
  if (!changed) return `${p.bold(subscriber)} was not paused.${left}`
  const circuits = closed.length === 0 ? '' : `, ${count(closed.length, 'circuit')} closed`
  if (rebuild !== undefined)
    return `The pause of ${p.bold(subscriber)} is taken back${circuits}; the rebuild ${rebuild} resumes it when it ends.${left}`
  const parked = job === undefined ? '; nothing is sent' : ''
  return `${p.bold(subscriber)} runs again${circuits}${parked}.${left}`
}
