import { CommanderError } from 'commander'
import { report } from './context.ts'
import { CommandError, UsageError } from './faults.ts'
import type { Io } from './io.ts'
import { createProgram } from './program.ts'

/** Runs one command line (without node and script) and answers its exit code: the one place where it is decided. */
export async function execute(argv: readonly string[], io: Io): Promise<number> {
  const { program, cli } = createProgram(io)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return cli.exitCode()
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    report(io, cli.json(), error)
    if (error instanceof CommandError) return error.exitCode
    return error instanceof UsageError ? 2 : 1
  }
}
