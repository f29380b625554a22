import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { examples } from '../options.ts'

/** In single quotes nothing means anything to a shell but the quote itself. */
const quoted = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`

export function env(program: Command, cli: Cli): void {
  program
    .command('env')
    .description('what other tools need to talk to the stage, as `export` lines; contains secrets')
    .addHelpText(
      'after',
      examples('env', 'env --json | jq -r .LOADPATH_API').concat('\n  $ eval "$(loadpath env)"'),
    )
    .action(async () => {
      const { environmentOf } = await import('../environment.ts')
      const variables = await environmentOf(cli)
      cli.show(variables, (shown) =>
        Object.entries(shown)
          .map(([name, value]) => `export ${name}=${quoted(value)}`)
          .join('\n'),
      )
    })
}
