import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { examples, plainId } from '../options.ts'
import type { RunOptions } from '../start.ts'

export function run(program: Command, cli: Cli): void {
  program
    .command('run')
    .usage('<workflow> [--data <json> | --event <id> | --<field> <value>…] [options]')
    .argument('<workflow>', 'as `loadpath routes` lists it', plainId)
    .argument('[fields...]', 'its request, a field at a time: --repository octo/hello')
    .description('start a run of any workflow')
    .option('--data <json>', 'its request as JSON, or @file')
    .option('--event <id>', 'for an event that is recorded already')
    .option('--source <uri>', 'with --event: needed where several sources sent this id')
    .option('--once <key>', 'the same key starts the same run, once')
    .option('--wait', 'wait for its end; exit code 1 when it fails')
    .allowUnknownOption()
    .addHelpText(
      'after',
      examples(
        'run test-and-validate --repository octo/hello --branch main --commit ec26c3e',
        `run test-and-validate --data '{"repository":"octo/hello","branch":"main","commit":"ec26c3e"}' --wait`,
        'run test-and-validate --event 2f1c9a10-5d3e-11f0-8f0a-6f2a35d1c001',
      ),
    )
    .action(async (workflow: string, words: string[], options: RunOptions) => {
      const { start } = await import('../start.ts')
      await start(cli, workflow, words, options)
    })
}
