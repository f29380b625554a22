import { Command } from 'commander'
import { version } from '../core/version.ts'
import { approvals } from './commands/approvals.ts'
import { balance } from './commands/balance.ts'
import { builds } from './commands/builds.ts'
import { check } from './commands/check.ts'
import { dead } from './commands/dead.ts'
import { down } from './commands/down.ts'
import { env } from './commands/env.ts'
import { events } from './commands/events.ts'
import { jobs } from './commands/jobs.ts'
import { keys } from './commands/keys.ts'
import { logs } from './commands/logs.ts'
import { mesh } from './commands/mesh.ts'
import { pause } from './commands/pause.ts'
import { quarantine } from './commands/quarantine.ts'
import { rebuild } from './commands/rebuild.ts'
import { replay } from './commands/replay.ts'
import { repositories } from './commands/repositories.ts'
import { resume } from './commands/resume.ts'
import { routes } from './commands/routes.ts'
import { run } from './commands/run.ts'
import { runs } from './commands/runs.ts'
import { smoke } from './commands/smoke.ts'
import { subscribers } from './commands/subscribers.ts'
import { trace } from './commands/trace.ts'
import { up } from './commands/up.ts'
import { why } from './commands/why.ts'
import { type Cli, createCli, type GlobalOptions } from './context.ts'
import type { Io } from './io.ts'
import { examples } from './options.ts'

/** How a command may end. */
export const exitCodes = {
  0: 'done',
  1: 'failed: it could not be done, or the answer is no, as to data that does not fit (the message or the output says which)',
  2: 'wrong usage: an unknown command or option, or a value that does not fit, also where only the API can tell',
} as const

/** In the order of the help. */
const groups: readonly { title: string; commands: readonly ((program: Command, cli: Cli) => void)[] }[] = [
  { title: 'On this machine:', commands: [up, down, env] },
  { title: 'Events:', commands: [events, why, trace, balance, dead, quarantine] },
  { title: 'Workflows:', commands: [run, runs, approvals] },
  { title: 'Subscribers:', commands: [subscribers, pause, resume, replay, rebuild, jobs] },
  { title: 'What is set up:', commands: [repositories, builds, routes, keys] },
  { title: 'Health:', commands: [check, smoke, logs] },
  { title: 'Structure:', commands: [mesh] },
]

/**
 * The whole command line, ready to parse; nothing is read or asked before a command runs. `json`: whoever runs it says
 * what is wrong with it.
 */
export function createProgram(io: Io, json = false): { program: Command; cli: Cli } {
  const program = new Command('loadpath')
    .description('Events in, checked, recorded once, routed; and what became of each.')
    .version(version, '--version', 'the version of this command line')
    .option('--stage <name>', 'which deployment; default: LOADPATH_STAGE, else local')
    .option('--profile <name>', 'AWS profile, where AWS credentials are needed')
    .option('--json', 'one JSON document, or one per line for streams')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => {
        if (!json) io.err.write(text)
      },
      getOutHelpWidth: () => io.columns ?? 100,
      getErrHelpWidth: () => io.columns ?? 100,
      getOutHasColors: () => io.out.colours,
      getErrHasColors: () => io.err.colours,
    })
    .showHelpAfterError('(--help says more)')
    .exitOverride()
    .addHelpText('after', examples('up', 'events tail -f', 'why 2f1c9a10-5d3e-11f0-8f0a-6f2a35d1c001'))
    .addHelpText(
      'after',
      ['', 'Exit codes:', ...Object.entries(exitCodes).map(([code, text]) => `  ${code}  ${text}`)].join(
        '\n',
      ),
    )
  const cli = createCli(io, () => program.opts<GlobalOptions>())
  for (const { title, commands } of groups) {
    program.commandsGroup(title)
    for (const add of commands) add(program, cli)
  }
  program.addHelpCommand(
    new Command('help').argument('[command]').description('help for a command').helpOption(false),
  )
  return { program, cli }
}
