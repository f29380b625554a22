import { type Command, Option } from 'commander'
import type { Cli } from '../context.ts'
import { countsText, jobText } from '../job-view.ts'
import { examples, gather, more, type Paging, paged, plainId } from '../options.ts'
import { localTime, state, table } from '../output.ts'

export function jobs(program: Command, cli: Cli): void {
  const group = program
    .command('jobs')
    .description('work over many deliveries: redrives, replays, rebuilds')
    .addHelpText('after', examples('jobs list'))

  const followed = async (id: string) => {
    const { followJob } = await import('../follow-job.ts')
    return followJob(cli, await cli.api(), id)
  }

  paged(group.command('list'))
    .description('jobs: open ones, then ended ones, each newest first')
    .addOption(new Option('--kind <kind>', 'only these').choices(['redrive', 'replay', 'rebuild']))
    .addOption(
      new Option('--state <state>', 'only these').choices([
        'running',
        'paused',
        'done',
        'stopped',
        'interrupted',
      ]),
    )
    .addHelpText('after', examples('jobs list', 'jobs list --kind redrive --state running'))
    .action(async ({ kind, state: wanted, ...paging }: Paging & { kind?: string; state?: string }) => {
      const api = await cli.api()
      const filter = { ...(kind && { kind }), ...(wanted && { state: wanted }) }
      const list = await gather(paging, (at) => api.jobs({ ...filter, ...at }))
      cli.show(list, ({ items }, p) =>
        items.length === 0
          ? 'No jobs.'
          : table(
              p,
              ['ASKED', 'KIND', 'JOB', 'OF', 'STATE', 'BY', 'SO FAR'],
              items.map((job) => [
                localTime(job.asked),
                job.kind,
                job.id,
                p.bold(job.subscriber),
                state(p, job.state),
                job.by,
                countsText(job),
              ]),
            ),
      )
      cli.note(more(list))
    })

  const named = (name: string) => group.command(name).argument('<job>', 'its id, as listed', plainId)

  named('show')
    .description('a job: what was asked for, how far it is')
    .option('--wait', 'until it has ended; exit code 1 when it did not come to its end, or not whole')
    .addHelpText('after', examples('jobs show 5f0e9d0f1c1c9b4d8a11', 'jobs show 5f0e9d0f1c1c9b4d8a11 --wait'))
    .action(async (id: string, { wait }: { wait?: boolean }) => {
      const api = await cli.api()
      cli.show(wait ? await followed(id) : await api.job(id), jobText)
    })

  named('pause')
    .description('pause it; what it has sent is handled')
    .addHelpText('after', examples('jobs pause 5f0e9d0f1c1c9b4d8a11'))
    .action(async (id: string) => {
      const api = await cli.api()
      cli.show(await api.pauseJob(id), jobText)
    })

  named('resume')
    .description('go on with one that is paused, or whose run was interrupted')
    .option('--wait', 'until it has ended')
    .addHelpText('after', examples('jobs resume 5f0e9d0f1c1c9b4d8a11 --wait'))
    .action(async (id: string, { wait }: { wait?: boolean }) => {
      const api = await cli.api()
      const resumed = await api.resumeJob(id)
      cli.show(wait ? await followed(id) : resumed, jobText)
    })

  named('stop')
    .description(
      'end it before it is done; the sweep sends what it leaves parked, unless the subscriber is paused',
    )
    .option('--reason <text>', 'kept with the job')
    .addHelpText('after', examples('jobs stop 5f0e9d0f1c1c9b4d8a11 --reason "still down"'))
    .action(async (id: string, { reason }: { reason?: string }) => {
      const api = await cli.api()
      cli.show(await api.stopJob(id, reason), jobText)
    })
}
