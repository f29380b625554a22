import type { Command } from 'commander'
import type { Checked } from '../check.ts'
import type { Cli } from '../context.ts'
import { examples } from '../options.ts'
import { count, type Paint } from '../output.ts'

function text({ stage, ok, parts, queues, backlog, deadLetters, notes }: Checked, p: Paint): string {
  const busy = queues.filter(({ waiting, handled, delayed }) => waiting + handled + delayed > 0)
  const dead = deadLetters.deliveries ?? 0
  return [
    `stage ${p.bold(stage)}: ${ok ? p.green('everything is up') : p.red('not everything is up')}`,
    '',
    ...parts.flatMap(({ part, have, should, faults }) => [
      `${have === should ? p.green('ok') : p.red('!!')}  ${part.padEnd(14)}  ${have}/${should}`,
      ...faults.map((fault) => `      ${p.red(fault)}`),
    ]),
    '',
    `backlog: ${count(backlog, 'message')}${busy.length === 0 ? '' : ` (${busy.map(({ queue, waiting, handled, delayed }) => `${queue} ${waiting + handled + delayed}`).join(', ')})`}`,
    `dead letters: ${count(deadLetters.letters, 'letter')} in the queues, ${
      deadLetters.deliveries === undefined
        ? 'deliveries not asked for'
        : count(dead, 'dead delivery', 'dead deliveries')
    }`,
    '',
    ...notes.map((note) => p.dim(note)),
  ].join('\n')
}

export function check(program: Command, cli: Cli): void {
  program
    .command('check')
    .description(
      'what is up and how many of each, against what the stage should have; backlog and dead letters; exit code 1 when something is not up',
    )
    .addHelpText('after', examples('check', 'check --json | jq .backlog', 'check --stage prod'))
    .action(async () => {
      const { checkStage } = await import('../check.ts')
      const checked = await checkStage(cli)
      cli.show(checked, text)
      if (!checked.ok) cli.failed()
    })
}
