import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { examples } from '../options.ts'
import { onThisMachine, requireLocal } from './up.ts'

export function down(program: Command, cli: Cli): void {
  program
    .command('down')
    .description('end what `loadpath up` started; its state is saved for the next start')
    .addHelpText('after', examples('down', 'down --json'))
    .action(async () => {
      requireLocal(cli, 'down')
      const { down: end } = await import('../../local/down.ts')
      const ended = await onThisMachine(end)
      cli.show({ ended }, () => (ended ? 'Ended; nothing is left running.' : 'Nothing was running.'))
    })
}
