import type { Command } from 'commander'
import type { Route } from '../answers.ts'
import type { Cli } from '../context.ts'
import { examples } from '../options.ts'
import { type Paint, table } from '../output.ts'

export function routes(program: Command, cli: Cli): void {
  program
    .command('routes')
    .description(
      'who gets what, and how: each subscriber, the types that it takes and the ones that it emits, messages a batch and batches at once',
    )
    .addHelpText('after', examples('routes', 'routes --json'))
    .action(async () => {
      const api = await cli.api()
      cli.show(await api.routes(), ({ items }, p) =>
        table(
          p,
          [
            'SUBSCRIBER',
            'KIND',
            'EFFECT',
            'ATTEMPTS',
            'BATCH',
            'AT ONCE',
            'TIMEOUT',
            'ORDERED',
            'TAKES',
            'EMITS',
          ],
          items.flatMap((route) => rows(route, p)),
        ),
      )
    })
}

/** Its types and what it emits stand below each other. */
function rows(route: Route, p: Paint): string[][] {
  const { subscriber, types, conditional, emits } = route
  const takes = types.map((type) => (conditional.includes(type) ? `${type} (some)` : type))
  const heads = [
    p.bold(subscriber),
    route.kind,
    route.effect,
    String(route.attempts),
    String(route.batch),
    String(route.concurrency),
    `${route.timeout} s`,
    route.ordered ? 'yes' : 'no',
  ]
  return Array.from({ length: Math.max(takes.length, emits.length, 1) }, (_, at) => [
    ...(at === 0 ? heads : heads.map(() => ' ')),
    takes[at] ?? ' ',
    emits[at] ?? ' ',
  ])
}
