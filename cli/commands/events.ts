import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { deliveriesTable, releasedText } from '../fate-view.ts'
import { UsageError } from '../faults.ts'
import {
  anyId,
  examples,
  gather,
  instant,
  more,
  type Paging,
  paged,
  positive,
  requireWindow,
} from '../options.ts'
import { clockMillis, fields, localTime, table } from '../output.ts'
import type { PutOptions } from '../put.ts'

type Filter = { type?: string; key?: string; since?: string; until?: string }

const filtered = (command: Command, now: () => number): Command =>
  command
    .option('--type <type>', 'only of this type, such as github.push')
    .option('--key <partition key>', 'only of this partition key, such as repository/octo/hello')
    .option(
      '--since <time>',
      'received at this time or later: ISO 8601, or how long ago (15m, 2h, 7d)',
      instant(now),
    )

export function events(program: Command, cli: Cli): void {
  const group = program
    .command('events')
    .description('put events in, watch them come, list and show them')
    .addHelpText('after', examples('events tail -f'))

  group
    .command('put')
    .argument('[file]', 'JSON: a CloudEvent or an array of them, or one per line; - is standard input')
    .description('put events in by HTTP and say what became of each')
    .option('--type <type>', 'make one event of this type instead of reading a file')
    .option('--source <uri>', 'its source', 'loadpath-cli')
    .option('--id <id>', 'its id; default: a new one')
    .option('--data <json>', 'its data, or @file')
    .option('--subject <subject>', 'its subject')
    .option('--key <partition key>', 'what it belongs to')
    .addHelpText(
      'after',
      examples(
        `events put --type test.completed --data '{"repository":"octo/hello","branch":"main","commit":"ec26c3e","suite":"unit","passed":3,"failed":0,"skipped":0}'`,
        'events put event.json',
        'events put - < events.ndjson',
      ),
    )
    .action(async (file: string | undefined, options: PutOptions) => {
      const { put } = await import('../put.ts')
      await put(cli, file, options)
    })

  filtered(group.command('tail'), cli.io.now)
    .description('the newest events, oldest first; -f goes on as they come')
    .option('-f, --follow', 'go on until interrupted')
    .option('-n, --lines <n>', 'how many to begin with', positive, 10)
    .addHelpText(
      'after',
      examples('events tail', 'events tail -f --type github.push', 'events tail -f --json | jq .type'),
    )
    .action(async (options: Filter & { follow?: boolean; lines: number }) => {
      const { follow } = await import('../follow.ts')
      await follow(cli, options)
    })

  paged(filtered(group.command('list'), cli.io.now))
    .description('events by the time they came in, newest first')
    .option('--until <time>', 'received at this time or earlier', instant(cli.io.now))
    .addHelpText(
      'after',
      examples(
        'events list',
        'events list --since 2h --type github.push',
        'events list --since 7d --all --json',
      ),
    )
    .action(async ({ type, key, since, until, ...paging }: Filter & Paging) => {
      requireWindow({ since, until })
      const api = await cli.api()
      const filter = {
        ...(type && { type }),
        ...(key && { key }),
        ...(since && { since }),
        ...(until && { until }),
      }
      // the past is long and mostly empty: nobody means to wait for all of it
      if (paging.all && since === undefined)
        throw new UsageError('--all needs --since, such as --since 7d: how far back to look')
      const patience = since === undefined ? 3 : undefined
      const list = await gather(paging, (at) => api.events({ ...filter, ...at }), patience)
      cli.show(list, ({ items }, p) =>
        items.length === 0
          ? list.next === undefined
            ? 'No events.'
            : 'None was found so far.'
          : table(
              p,
              ['RECEIVED', 'TYPE', 'ID', 'SOURCE'],
              items.map((event) => [localTime(event.received), p.bold(event.type), event.id, event.source]),
            ),
      )
      const all = since === undefined ? '--since <time> --all' : undefined
      cli.note(
        list.next !== undefined && list.items.length === 0
          ? `Older ones were not looked through: ${all}, or go on with --cursor ${list.next}`
          : more(list, all),
      )
    })

  group
    .command('show')
    .argument('<event>', 'its id', anyId)
    .description('an event with its data and its deliveries')
    .option('--source <uri>', 'needed where several sources sent this id')
    .addHelpText(
      'after',
      examples('events show 2f1c9a10-5d3e-11f0-8f0a-6f2a35d1c001', 'events show 4711 --json'),
    )
    .action(async (id: string, options: { source?: string }) => {
      const api = await cli.api()
      cli.show(await api.event(id, options.source), ({ event, deliveries, bodyGone }, p) => {
        const { data, type, received, time, extensions, released, ...attributes } = event
        const shown = Object.entries(attributes).flatMap(([name, value]) =>
          value === undefined || typeof value === 'object' ? [] : [[name, String(value)]],
        )
        const body = bodyGone ? 'its body is gone' : JSON.stringify(data, null, 2)
        return [
          `${p.bold(type)}  ${localTime(received)}.${clockMillis(received).slice(-3)}`,
          fields(p, {
            ...Object.fromEntries(shown),
            ...(released === undefined ? {} : { released: releasedText(released) }),
          }),
          '',
          body,
          '',
          deliveriesTable(p, deliveries),
        ].join('\n')
      })
    })
}
