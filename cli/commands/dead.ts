import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { examples, gather, more, type Paging, paged } from '../options.ts'
import { fields, localTime, table } from '../output.ts'

export function dead(program: Command, cli: Cli): void {
  const group = program
    .command('dead')
    .description('deliveries that were given up, and why')
    .addHelpText('after', examples('dead list'))

  paged(group.command('list'))
    .description('dead deliveries by subscriber, the oldest first')
    .option('--subscriber <name>', 'only of this subscriber')
    .addHelpText('after', examples('dead list', 'dead list --subscriber notify --all --json'))
    .action(async ({ subscriber, ...paging }: Paging & { subscriber?: string }) => {
      const api = await cli.api()
      const list = await gather(paging, (at) => api.deadLetters({ ...at, ...(subscriber && { subscriber }) }))
      cli.show(list, ({ items }, p) =>
        items.length === 0
          ? 'No delivery is dead.'
          : table(
              p,
              ['DIED', 'SUBSCRIBER', 'EVENT', 'ATTEMPTS', 'REASON'],
              items.map((letter) => [
                localTime(letter.changed),
                p.bold(letter.subscriber),
                letter.id,
                String(letter.attempts),
                p.red(letter.reason ?? ''),
              ]),
            ),
      )
      cli.note(more(list))
    })

  group
    .command('show')
    .argument('<event>', 'the id of the event whose delivery is dead')
    .description('a dead delivery: its reason, and the event with its data')
    .option('--subscriber <name>', 'needed where several deliveries of the event are dead')
    .option('--source <uri>', 'needed where several sources sent this id')
    .addHelpText('after', examples('dead show 4711', 'dead show 4711 --subscriber notify --json'))
    .action(async (id: string, options: { subscriber?: string; source?: string }) => {
      const api = await cli.api()
      cli.show(await api.deadLetter(id, options), ({ delivery, event }, p) =>
        [
          `${p.bold(delivery.subscriber)} gave up ${p.bold(event.type)} ${event.id}`,
          fields(p, {
            because: p.red(delivery.reason ?? 'nothing was noted'),
            attempts: String(delivery.attempts),
            'first tried': localTime(delivery.started),
            died: localTime(delivery.changed),
            source: event.source,
            received: localTime(event.received),
            notes: delivery.notes?.join('\n'),
          }),
          '',
          JSON.stringify(event.data, null, 2),
        ].join('\n'),
      )
    })
}
