import type { Command } from 'commander'
import type { Subscriber } from '../answers.ts'
import type { Cli } from '../context.ts'
import { examples } from '../options.ts'
import { localTime, type Paint, table } from '../output.ts'

export function subscribers(program: Command, cli: Cli): void {
  program
    .command('subscribers')
    .description('who handles events: what holds each back, and what waits for it')
    .addHelpText('after', examples('subscribers', 'subscribers --json'))
    .action(async () => {
      const api = await cli.api()
      cli.show(await api.subscribers(), ({ items }, p) =>
        table(
          p,
          ['SUBSCRIBER', 'KIND', 'STATE', 'QUEUED', 'RETRYING', 'PARKED', 'DEAD', 'BECAUSE'],
          items.map((item) => row(item, p)),
        ),
      )
    })
}

function row(item: Subscriber, p: Paint): string[] {
  const { subscriber, kind, paused, circuits, open, queued } = item
  const state =
    paused !== undefined ? p.yellow('paused') : circuits.length > 0 ? p.red('circuit open') : p.green('runs')
  const number = (many: number, colour: (text: string) => string) => (many > 0 ? colour(String(many)) : '0')
  return [
    p.bold(subscriber),
    kind,
    state,
    String(queued),
    number(open.retrying, p.yellow),
    number(open.parked, p.yellow),
    number(open.dead, p.red),
    because(item),
  ]
}

/** The pause; or the first circuit, and how many there are beside it. */
function because({ paused, circuits }: Subscriber): string {
  if (paused !== undefined)
    return `${paused.by} at ${localTime(paused.at)}${paused.reason ? `: ${paused.reason}` : ''}`
  const [first, ...more] = circuits
  if (first === undefined) return ''
  const of = first.downstream === '' ? '' : `${first.downstream} `
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`
  return `${of}since ${localTime(first.since)}, tried again ${localTime(first.probeAt)}: ${first.reason}${others}`
}
