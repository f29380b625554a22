import type { Command } from 'commander'
import { asksFirst } from '../agree.ts'
import type { Named, Selected } from '../api.ts'
import type { Cli } from '../context.ts'
import { gatherGroups, groupsTable, leftOut, noneText, partial } from '../dead-groups.ts'
import type { DropOptions, RedriveOptions } from '../mend.ts'
import { anyId, examples, gather, more, type Paging, paged, upToThousand } from '../options.ts'
import { fields, localTime, table } from '../output.ts'
import { selected, selecting } from '../selection.ts'

const ofReplay = 'the delivery of this replay; an empty text: the live one'

export function dead(program: Command, cli: Cli): void {
  const group = program
    .command('dead')
    .description('deliveries that were given up: why, and how to mend them')
    .addHelpText('after', examples('dead list'))

  const list = selecting(paged(group.command('list')), cli.io.now)
  list
    .description('what is dead by subscriber and reason; with --all, --limit or --cursor one by one')
    .addHelpText(
      'after',
      examples(
        'dead list',
        'dead list --subscriber notify --since 2h',
        'dead list --reason "timed out after * ms" --where repository.name=hello --all --json',
      ),
    )
    .action(async (options: Paging & Selected) => {
      const api = await cli.api()
      const oneByOne = ['all', 'limit', 'cursor'].some((name) => list.getOptionValueSource(name) === 'cli')
      if (!oneByOne) {
        const found = await gatherGroups(api, selected(options))
        const none = found.groups.length > 0 ? '' : await noneText(api, selected(options))
        cli.show(found, (all, p) => groupsTable(all, p, none))
        cli.note(partial(found))
        return
      }
      const unreadable: string[] = []
      const found = await gather(options, async (at) => {
        const page = await api.deadLetters({ ...at, ...selected(options) })
        unreadable.push(...page.unreadable.map(({ id }) => id))
        return page
      })
      const none = found.items.length > 0 ? '' : await noneText(api, selected(options))
      cli.show({ ...found, unreadable }, ({ items }, p) =>
        items.length === 0
          ? none
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
      cli.note([more(found), leftOut(unreadable)].flat().filter(Boolean).join('\n'))
    })

  const ofEvent = (name: string) =>
    group
      .command(name)
      .argument('<event>', 'the id of the event whose delivery is dead', anyId)
      .option('--subscriber <name>', 'needed where several deliveries of the event are dead')
      .option('--replay <job>', ofReplay)
      .option('--source <uri>', 'needed where several sources sent this id')

  ofEvent('show')
    .description('a dead delivery: its reason, and the event with its data')
    .addHelpText('after', examples('dead show 4711', 'dead show 4711 --subscriber notify --json'))
    .action(async (id: string, options: Named) => {
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
            replay: delivery.replay,
            received: localTime(event.received),
            notes: delivery.notes?.join('\n'),
          }),
          '',
          JSON.stringify(event.data, null, 2),
        ].join('\n'),
      )
    })

  ofEvent('edit')
    .description('mend the data of an event, for the subscriber that could not handle it and for no other')
    .option('--data <file|-|json>', 'what it shall be; default: your $EDITOR')
    .addHelpText('after', examples('dead edit 4711', 'dead edit 4711 --subscriber notify --data mended.json'))
    .action(async (id: string, options: Named & { data?: string }) => {
      const { editDead } = await import('../edit.ts')
      await editDead(cli, id, options)
    })

  const someOrOne = (name: string) =>
    selecting(
      group.command(name).argument('[event]', 'the id of one event; else the filters say which', anyId),
      cli.io.now,
    )
      .option('--replay <job>', ofReplay)
      .option('--source <uri>', 'of the event: needed where several sources sent this id')
      .option('--all', 'everything that is dead')

  someOrOne('redrive')
    .description(
      'send what is dead to the subscriber that failed, again; on an ordered route all that waits behind it goes with it',
    )
    .option('--dry-run', 'only say what would be sent')
    .option(
      '--rate <n>',
      'with filters: deliveries a second, 1 to 1000; default: 10; of an ordered subscriber what waits behind one goes with it',
      upToThousand,
    )
    .option(
      '--stop-after <n>',
      'with filters: end when so many died again of the same, 1 to 1000; default: 10',
      upToThousand,
    )
    .option('--wait', 'with filters: show the progress until it has ended')
    .addHelpText(
      'after',
      examples(
        'dead redrive 4711',
        'dead redrive --subscriber notify --reason "fetch failed" --dry-run',
        'dead redrive --subscriber notify --since 2h --rate 5 --wait',
      ),
    )
    .action(async (id: string | undefined, options: RedriveOptions) => {
      const { redrive } = await import('../mend.ts')
      await redrive(cli, id, options)
    })

  asksFirst(someOrOne('drop'))
    .description('give it up for good: its subscriber will not handle it')
    .option('--because <text>', 'why; kept with the delivery')
    .addHelpText(
      'after',
      examples(
        'dead drop 4711 --because "a test"',
        'dead drop --subscriber notify --type workflow.failed --yes',
      ),
    )
    .action(async (id: string | undefined, options: DropOptions) => {
      const { drop } = await import('../mend.ts')
      await drop(cli, id, options)
    })
}
