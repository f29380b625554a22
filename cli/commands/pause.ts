import type { Command } from 'commander'
import { agreed, asksFirst } from '../agree.ts'
import type { Cli } from '../context.ts'
import { UsageError } from '../faults.ts'
import { examples, plainId } from '../options.ts'
import { count, localTime } from '../output.ts'

export function pause(program: Command, cli: Cli): void {
  asksFirst(program.command('pause'))
    .argument('<subscriber>', 'a function or workflow of the routes, or `all`', plainId)
    .description('park what comes for a subscriber, until it is resumed; asks before it pauses `all`')
    .option(
      '--reason <text>',
      'why: kept with the pause and in every delivery that is parked; `all` needs one',
    )
    .addHelpText(
      'after',
      examples(
        'pause notify --reason "the mail relay is being moved"',
        'pause test-and-validate',
        'pause all --reason "the database is being moved" --yes',
      ),
    )
    .action(async (subscriber: string, { reason, yes }: { reason?: string; yes?: boolean }) => {
      if (subscriber === 'all') {
        if (reason === undefined)
          throw new UsageError('say why everything is to stand still: pause all --reason <text>')
        await agreed(
          cli,
          yes,
          async () => 'Pause every subscriber? Nothing is handled until they are resumed.',
        )
      }
      const api = await cli.api()
      const answer = await api.pause(subscriber, reason === undefined ? {} : { reason })
      cli.show(answer, ({ items }, p) =>
        items
          .map(({ subscriber: name, changed, paused, rebuild }) =>
            changed
              ? `${p.bold(name)} is paused${rebuild === undefined ? '' : `, and stays so when the rebuild ${rebuild} lets it go`}.`
              : `${p.bold(name)} was paused before, by ${paused.by} at ${localTime(paused.at)}${paused.reason ? `: ${paused.reason}` : ''}.`,
          )
          .join('\n'),
      )
      const changed = answer.items.filter((item) => item.changed).length
      if (changed > 0)
        cli.note(
          `What comes for ${count(changed, 'subscriber')} is parked within some seconds: loadpath resume ${subscriber}`,
        )
    })
}
