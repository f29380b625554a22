import type { Command } from 'commander'
import type { Checked } from '../check.ts'
import type { Cli } from '../context.ts'
import { examples } from '../options.ts'
import { count, type Paint } from '../output.ts'

function waiting({ queues, backlog, deadLetters: { letters, deliveries } }: Checked, p: Paint): string[] {
  const depths = queues.map(({ queue, waiting, handled, delayed }) => ({
    queue,
    depth: waiting + handled + delayed,
  }))
  const busy = depths.filter(({ depth }) => depth > 0).map(({ queue, depth }) => `${queue} ${depth}`)
  const dead =
    deliveries === undefined
      ? 'deliveries not counted'
      : count(deliveries, 'dead delivery', 'dead deliveries')
  return [
    `backlog: ${count(backlog, 'message')}${busy.length === 0 ? '' : ` (${busy.join(', ')})`}`,
    `dead letters: ${count(letters, 'letter')} in the queues, ${deliveries ? p.yellow(dead) : dead}`,
    '',
  ]
}

function text(checked: Checked, p: Paint): string {
  const { stage, ok, parts, queues, notes } = checked
  return [
    `stage ${p.bold(stage)}: ${ok ? p.green('everything is up') : p.red('not everything is up')}`,
    '',
    ...parts.flatMap(({ part, have, should, faults }) => [
      `${have === should ? p.green('ok') : p.red('!!')}  ${part.padEnd(14)}  ${have}/${should}`,
      ...faults.map((fault) => `      ${p.red(fault)}`),
    ]),
    '',
    ...(queues.length === 0 ? [] : waiting(checked, p)),
    ...notes.map((note) => p.dim(note)),
  ].join('\n')
}

export function check(program: Command, cli: Cli): void {
  program
    .command('check')
    .description(
      'what is up and how many of each, against what the stage should have; open circuits and pauses, backlog and dead letters; exit code 1 when something is not up',
    )
    .addHelpText('after', examples('check', 'check --json | jq .backlog', 'check --stage prod'))
    .action(async () => {
      const { checkStage } = await import('../check.ts')
      const checked = await checkStage(cli)
      cli.show(checked, text)
      if (!checked.ok) cli.failed()
    })
}
