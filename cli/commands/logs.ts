import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import type { LogOptions } from '../log-reader.ts'
import { duration, examples } from '../options.ts'

export function logs(program: Command, cli: Cli): void {
  program
    .command('logs')
    .argument(
      '[name...]',
      'functions, such as record or analyze-push, or a workflow, for what starts its runs; all functions by default',
    )
    .description('logs of the functions, merged by time')
    .option('-f, --follow', 'go on until interrupted')
    .option('--since <duration>', 'from so long ago: 90s, 15m, 2h', duration, 600_000)
    .option('--grep <text>', 'only lines that contain this')
    .option('--all', 'with the START, END and REPORT lines of Lambda itself')
    .addHelpText(
      'after',
      examples('logs', 'logs -f record analyze-push', 'logs --since 2h --grep error --json'),
    )
    .action(async (names: string[], options: LogOptions) => {
      const { printLogs } = await import('../log-reader.ts')
      await printLogs(cli, names, options)
    })
}
