import type { Command } from 'commander'
import type { Cli } from './context.ts'
import { CommandError, UsageError } from './faults.ts'

/** For a command that asks before it does what cannot be undone. */
export const asksFirst = (command: Command): Command => command.option('--yes', 'without being asked')

/**
 * Asks at the terminal, unless they said yes before.
 * @throws UsageError when nobody is there to be asked, CommandError when they do not agree
 */
export async function agreed(
  { io }: Pick<Cli, 'io'>,
  yes: boolean | undefined,
  question: () => Promise<string>,
): Promise<void> {
  if (yes) return
  if (io.agrees === undefined) throw new UsageError('nobody is at a terminal to be asked, so say --yes')
  if (!(await io.agrees(await question()))) throw new CommandError('Not agreed, so nothing was done.')
}
