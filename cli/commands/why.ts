import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { whyText } from '../fate-view.ts'
import { anyId, examples } from '../options.ts'

export function why(program: Command, cli: Cli): void {
  program
    .command('why')
    .argument('<event>', 'its id', anyId)
    .description(
      "an event's whole fate: how it came, each delivery with its state, reason and times, what it caused",
    )
    .option('--source <uri>', 'needed where several sources sent this id')
    .addHelpText(
      'after',
      examples('why 2f1c9a10-5d3e-11f0-8f0a-6f2a35d1c001', 'why 4711 --source https://github.com/octo/hello'),
    )
    .action(async (id: string, options: { source?: string }) => {
      const api = await cli.api()
      cli.show(await api.why(id, options.source), whyText)
    })
}
