import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { UsageError } from '../faults.ts'
import { examples, instant } from '../options.ts'
import { countAll, countedText, jobCommands, paced, showAsked } from '../replays.ts'

type Options = {
  since?: string
  until?: string
  type?: string
  key?: string
  story?: string
  event?: string
  source?: string
  asRecorded?: boolean
  dryRun?: boolean
  rate?: number
  emit?: boolean
  wait?: boolean
}

export function replay(program: Command, cli: Cli): void {
  const group = program.command('replay')
  paced(group)
    .usage('<subscriber> <what> [options]\n       loadpath replay list | show | pause | resume | stop')
    .argument('[subscriber]', 'who shall handle them again; nobody else does')
    .description('hand events of the history to one subscriber again')
    .option(
      '--since <time>',
      'received at this time or later: ISO 8601, or how long ago',
      instant(cli.io.now),
    )
    .option('--until <time>', 'received at this time or earlier', instant(cli.io.now))
    .option('--type <type>', 'only of this type')
    .option('--key <partition key>', 'only of this partition key')
    .option('--story <correlation id>', 'only of this story')
    .option('--event <id>', 'this one alone')
    .option('--source <uri>', 'with --event: needed where several sources sent this id')
    .option('--emit', 'send what it emits, under ids of its own; without it that is compared')
    .addHelpText(
      'after',
      examples(
        'replay notify --type deployment.failed --since 2h --dry-run',
        'replay notify --type deployment.failed --since 2h --rate 5 --wait',
        'replay analyze-push --key repository/octo/hello',
        'replay show 5f0e9d0f1c1c9b4d8a11',
      ),
    )
    .action(async (subscriber: string | undefined, options: Options) => {
      const request = requestOf(subscriber, options)
      const api = await cli.api()
      if (options.dryRun) {
        cli.show(await countAll((cursor) => api.countReplay({ ...request, cursor })), countedText)
        return
      }
      const { rate, emit, wait } = options
      const asked = await api.replay({ ...request, ...(rate && { rate }), ...(emit && { emit }) })
      await showAsked(cli, api, asked, wait)
    })
  jobCommands(group, 'replay', cli)
}

/** @throws UsageError when nothing says which events */
function requestOf(subscriber: string | undefined, options: Options) {
  const { since, until, type, key, story, event, source, asRecorded } = options
  if (subscriber === undefined)
    throw new UsageError('name the subscriber: loadpath routes lists them, loadpath replay list the replays')
  if (source !== undefined && event === undefined) throw new UsageError('--source goes with --event')
  if ([since, until, type, key, story, event].every((named) => named === undefined))
    throw new UsageError(
      'say which events: at least one of --since, --until, --type, --key, --story and --event',
    )
  return {
    subscriber,
    ...(since && { since }),
    ...(until && { until }),
    ...(type && { type }),
    ...(key && { key }),
    ...(story && { story }),
    ...(event && { event: { id: event, ...(source && { source }) } }),
    ...(asRecorded && { asRecorded }),
  }
}
