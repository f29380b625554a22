import { CommanderError } from 'commander'
import { report } from './context.ts'
import { CommandError, UsageError } from './faults.ts'
import type { Io } from './io.ts'
import { createProgram } from './program.ts'

/** Runs one command line (without node and script) and answers its exit code: the one place where it is decided. */
export async function execute(argv: readonly string[], io: Io): Promise<number> {
  // where the command line cannot be read, nobody has read this of it either
  const json = argv.includes('--json')
  const { program, cli } = createProgram(io, json)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return cli.exitCode()
  } catch (error) {
    if (error instanceof CommanderError) {
      if (json && error.exitCode !== 0) report(io, json, wrongUsage(error))
      return error.exitCode === 0 ? 0 : 2
    }
    report(io, cli.json(), error)
    if (error instanceof CommandError) return error.exitCode
    return error instanceof UsageError ? 2 : 1
  }
}

const wrongUsage = ({ code, message }: CommanderError): UsageError =>
  new UsageError(
    code === 'commander.help' ? 'a command is missing: --help lists them' : message.replace(/^error: /, ''),
  )
