import type { Command } from 'commander'
import type { Trace } from '../answers.ts'
import type { Cli } from '../context.ts'
import { anyId, examples } from '../options.ts'
import { traceText } from '../trace-view.ts'

export function trace(program: Command, cli: Cli): void {
  program
    .command('trace')
    .argument('<event or story>', 'the id of any event of the story, or the story itself', anyId)
    .description('a story as a tree with times: events, deliveries, runs')
    .option('--source <uri>', 'needed where several sources sent this id')
    .option('--all', 'all of a story of more than 100 events')
    .addHelpText('after', examples('trace 2f1c9a10-5d3e-11f0-8f0a-6f2a35d1c001', 'trace 4711 --json'))
    .action(async (key: string, { source, all }: { source?: string; all?: boolean }) => {
      const api = await cli.api()
      const from = source === undefined ? {} : { source }
      let found: Trace = await api.trace(key, { ...from, limit: 100 })
      while (all && found.next !== undefined) {
        const { story, events, roots, next } = await api.trace(key, {
          ...from,
          limit: 100,
          cursor: found.next,
        })
        found = { story, events: found.events + events, roots: [...found.roots, ...roots], next }
      }
      cli.show(found, traceText)
    })
}
