import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { duration, examples } from '../options.ts'
import { type Paint, span, state } from '../output.ts'
import type { Passed } from '../smoke.ts'

const line = ({ door, ok, came, id, milliseconds, deliveries }: Passed, p: Paint): string =>
  [
    `${ok ? p.green('ok') : p.red('!!')} ${p.bold(door.padEnd(21))} ${ok ? came : p.red(came)}${
      milliseconds === undefined ? '' : p.dim(` (${span(milliseconds)})`)
    }`,
    ...(id === undefined ? [] : [`   ${p.dim(`loadpath trace ${id}`)}`]),
    ...deliveries.map(
      ({ subscriber, state: is, run }) =>
        `   -> ${subscriber} ${state(p, is)}${run === undefined ? '' : `, run ${state(p, run)}`}`,
    ),
  ].join('\n')

export function smoke(program: Command, cli: Cli): void {
  program
    .command('smoke')
    .description(
      'send one event through every door and say what came of each; exit code 1 when one did not get through',
    )
    .option('--timeout <duration>', 'how long to wait for each', duration, 60_000)
    .addHelpText(
      'after',
      examples('smoke', 'smoke --json | jq "select(.ok | not)"', 'smoke --stage dev --timeout 2m'),
    )
    .action(async ({ timeout }: { timeout: number }) => {
      const { smokeTest } = await import('../smoke.ts')
      const passed = await smokeTest(cli, timeout, (each) => cli.stream(each, line))
      const good = passed.filter(({ ok }) => ok).length
      cli.note(`${good} of ${passed.length} doors work.`)
      if (good < passed.length) cli.failed()
    })
}
