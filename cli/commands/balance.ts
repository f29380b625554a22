import type { Command } from 'commander'
import type { BalanceOptions } from '../balance.ts'
import type { Cli } from '../context.ts'
import { duration, examples, instant, requireWindow } from '../options.ts'

export function balance(program: Command, cli: Cli): void {
  program
    .command('balance')
    .description(
      'the books: what every event expected against what became of it; exit code 1 where it is missing, or with --mend where it is not all on its way then',
    )
    .option('--since <time>', 'recorded at this time or later (default: an hour ago)', instant(cli.io.now))
    .option('--until <time>', 'recorded before this time', instant(cli.io.now))
    .option('--patience <span>', 'from when on no mark counts as missing (default: 15m)', duration)
    .option('--replay <id>', 'the books of this replay alone')
    .option('--mend', 'send on what is missing, now')
    .addHelpText(
      'after',
      examples(
        'balance',
        'balance --since 24h',
        'balance --since 2h --mend',
        'balance --replay 2f9c01b4d7e8 --json',
      ),
    )
    .action(async (options: BalanceOptions) => {
      requireWindow(options)
      const { balanceBooks } = await import('../balance.ts')
      await balanceBooks(cli, options)
    })
}
