import type { Command } from 'commander'
import { agreed, asksFirst } from '../agree.ts'
import type { Cli } from '../context.ts'
import { UsageError } from '../faults.ts'
import { examples, instant, plainId, requireWindow } from '../options.ts'
import { countAll, countedText, paced, showAsked, showCommand } from '../replays.ts'

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
  yes?: boolean
}

export function replay(program: Command, cli: Cli): void {
  const group = program.command('replay')
  asksFirst(paced(group))
    .usage('<subscriber> <what> [options]\n       loadpath replay show <job>')
    .argument('[subscriber]', 'who shall handle them again; nobody else does', plainId)
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
    .option(
      '--emit',
      'send what it emits, under ids of its own, which others handle; without it that is compared; asks before',
    )
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
        const asked = { ...request, ...(options.emit && { emit: true }) }
        cli.show(await countAll((cursor) => api.countReplay({ ...asked, cursor })), countedText('dropped'))
        return
      }
      const { rate, emit, wait, yes } = options
      if (emit)
        await agreed(
          cli,
          yes,
          async () => `Send what ${request.subscriber} emits of these events, for others to handle as new?`,
        )
      const whole = { ...request, ...(rate && { rate }), ...(emit && { emit }) }
      const { askOnce } = await import('../steadily.ts')
      const asked = await askOnce(cli, (key) => api.replay(whole, key))
      await showAsked(cli, api, asked, wait)
    })
  showCommand(group, 'replay', cli)
}

/** @throws UsageError when nothing says which events */
function requestOf(subscriber: string | undefined, options: Options) {
  const { since, until, type, key, story, event, source, asRecorded } = options
  if (subscriber === undefined)
    throw new UsageError(
      'name the subscriber: loadpath routes lists them, loadpath jobs list --kind replay the replays',
    )
  requireWindow({ since, until })
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
