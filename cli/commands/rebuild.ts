import type { Command } from 'commander'
import { agreed, asksFirst } from '../agree.ts'
import type { Cli } from '../context.ts'
import { UsageError } from '../faults.ts'
import { examples, instant, plainId } from '../options.ts'
import { countAll, countedText, paced, showAsked, showCommand } from '../replays.ts'

type Options = {
  since?: string
  asRecorded?: boolean
  dryRun?: boolean
  rate?: number
  switch?: boolean
  wait?: boolean
  yes?: boolean
}

export function rebuild(program: Command, cli: Cli): void {
  const group = program.command('rebuild')
  asksFirst(paced(group))
    .usage('<subscriber> [options]\n       loadpath rebuild show <job>')
    .argument('[subscriber]', 'one that keeps records of its own: effect state', plainId)
    .description(
      'build its records anew from the history, beside the live ones, and compare them; the live subscriber is paused while the last events are taken in and compared, with --switch or without it',
    )
    .option(
      '--since <time>',
      'only what was received since, to compare: ISO 8601, or how long ago; not together with --switch; default: all that is kept',
      instant(cli.io.now),
    )
    .option(
      '--switch',
      'replace live records that differ, but for those made from events that are kept no more, and add those that are missing; asks before',
    )
    .addHelpText(
      'after',
      examples(
        'rebuild track-build --dry-run',
        'rebuild track-build --wait',
        'rebuild track-build --switch --yes --wait',
        'rebuild show 5f0e9d0f1c1c9b4d8a11',
      ),
    )
    .action(async (subscriber: string | undefined, options: Options) => {
      if (subscriber === undefined)
        throw new UsageError(
          'name the subscriber: loadpath routes lists them, loadpath jobs list --kind rebuild the rebuilds',
        )
      const { since, asRecorded, dryRun, rate, switch: replaces, wait, yes } = options
      const request = { subscriber, ...(since && { since }), ...(asRecorded && { asRecorded }) }
      if (replaces && since !== undefined)
        throw new UsageError(
          'records that are built from a part of the history replace no live ones: --switch goes without --since',
        )
      const api = await cli.api()
      if (dryRun) {
        cli.show(
          await countAll((cursor) => api.countRebuild({ ...request, cursor })),
          countedText('dropped, dead, or still on their way'),
        )
        return
      }
      if (replaces)
        await agreed(
          cli,
          yes,
          async () => `Replace the live records of ${subscriber} that differ from the rebuilt ones?`,
        )
      const whole = { ...request, ...(rate && { rate }), ...(replaces && { switch: true }) }
      const { askOnce } = await import('../steadily.ts')
      const asked = await askOnce(cli, (key) => api.rebuild(whole, key))
      await showAsked(cli, api, asked, wait)
    })
  showCommand(group, 'rebuild', cli)
}
