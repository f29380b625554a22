import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { CommandError, UsageError } from '../faults.ts'
import { examples } from '../options.ts'

/** Only the local stage lives on this machine. */
export function requireLocal(cli: Cli, command: string): void {
  const { name, local } = cli.stage()
  if (!local) throw new UsageError(`${command} is for the local stage; ${name} is deployed by the CDK`)
}

/** A failure of the machine that says what to do needs no stack. */
export async function onThisMachine<T>(work: () => Promise<T>): Promise<T> {
  const { Trouble } = await import('../../local/endpoint.ts')
  try {
    return await work()
  } catch (error) {
    throw error instanceof Trouble ? new CommandError(error.message) : error
  }
}

export function up(program: Command, cli: Cli): void {
  program
    .command('up')
    .description(
      'bring everything up on this machine, send sample webhooks, show the trace of one; stays until Ctrl-C',
    )
    .option('--detach', 'go on in the background; `loadpath down` ends it')
    .option('--fresh', 'begin with nothing: what earlier starts left is removed')
    .addHelpText('after', examples('up', 'up --detach', 'up --fresh', 'up --detach --json'))
    .action(async ({ detach = false, fresh = false }: { detach?: boolean; fresh?: boolean }) => {
      requireLocal(cli, 'up')
      const { up: start } = await import('../../local/up.ts')
      const say = (line: string) =>
        cli.stream({ time: new Date(cli.io.now()).toISOString(), line }, () => line)
      await onThisMachine(() => start({ detach, fresh, say, env: cli.io.env }))
    })
}
