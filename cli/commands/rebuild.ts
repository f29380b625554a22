import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { UsageError } from '../faults.ts'
import { examples, instant } from '../options.ts'
import { countAll, countedText, jobCommands, paced, showAsked } from '../replays.ts'

type Options = {
  since?: string
  asRecorded?: boolean
  dryRun?: boolean
  rate?: number
  switch?: boolean
  wait?: boolean
}

export function rebuild(program: Command, cli: Cli): void {
  const group = program.command('rebuild')
  paced(group)
    .usage('<subscriber> [options]\n       loadpath rebuild list | show | pause | resume | stop')
    .argument('[subscriber]', 'one that keeps records of its own: effect state')
    .description('build its records anew from the history, beside the live ones, and compare them')
    .option(
      '--since <time>',
      'only what was received since: ISO 8601, or how long ago; default: all that is kept',
      instant(cli.io.now),
    )
    .option('--switch', 'replace live records that differ, and add those that are missing')
    .addHelpText(
      'after',
      examples(
        'rebuild track-build --dry-run',
        'rebuild track-build --wait',
        'rebuild track-build --switch --wait',
        'rebuild show 5f0e9d0f1c1c9b4d8a11',
      ),
    )
    .action(async (subscriber: string | undefined, options: Options) => {
      if (subscriber === undefined)
        throw new UsageError(
          'name the subscriber: loadpath routes lists them, loadpath rebuild list the rebuilds',
        )
      const { since, asRecorded, dryRun, rate, switch: replaces, wait } = options
      const request = { subscriber, ...(since && { since }), ...(asRecorded && { asRecorded }) }
      const api = await cli.api()
      if (dryRun) {
        cli.show(await countAll((cursor) => api.countRebuild({ ...request, cursor })), countedText)
        return
      }
      const asked = await api.rebuild({
        ...request,
        ...(rate && { rate }),
        ...(replaces && { switch: true }),
      })
      await showAsked(cli, api, asked, wait)
    })
  jobCommands(group, 'rebuild', cli)
}
