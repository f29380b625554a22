import { type Command, Option } from 'commander'
import type { Run } from '../answers.ts'
import type { Cli } from '../context.ts'
import { examples, gather, more, type Paging, paged, plainId } from '../options.ts'
import { fields, localTime, type Paint, span, state, table } from '../output.ts'

const took = ({ started, ended }: Run): string =>
  started === undefined || ended === undefined ? '' : span(Date.parse(ended) - Date.parse(started))

/** One run in full. */
export const runText = (run: Run, p: Paint): string =>
  [
    `${p.bold(run.workflow)} ${run.run} ${state(p, run.status)}`,
    fields(p, {
      started: localTime(run.started),
      ended: run.ended && `${localTime(run.ended)} (took ${took(run)})`,
      attempt: run.attempt === undefined ? undefined : String(run.attempt),
      event: run.event && `${run.event.type} ${run.event.id} from ${run.event.source}`,
      error: run.error && p.red(run.error),
      cause: run.cause,
      input: run.live?.input === undefined ? undefined : JSON.stringify(run.live.input, null, 2),
      output: run.live?.output === undefined ? undefined : JSON.stringify(run.live.output, null, 2),
    }),
  ].join('\n')

export function runs(program: Command, cli: Cli): void {
  const group = program
    .command('runs')
    .description('runs of workflows')
    .addHelpText('after', examples('runs list --status failed'))

  paged(group.command('list'))
    .description('open runs, then ended ones, each newest first')
    .option('--workflow <name>', 'only of this workflow')
    .addOption(new Option('--status <status>', 'only these').choices(['running', 'succeeded', 'failed']))
    .addHelpText('after', examples('runs list', 'runs list --workflow test-and-validate --status failed'))
    .action(async ({ workflow, status, ...paging }: Paging & { workflow?: string; status?: string }) => {
      const api = await cli.api()
      const filter = { ...(workflow && { workflow }), ...(status && { status }) }
      const list = await gather(paging, (at) => api.runs({ ...filter, ...at }))
      cli.show(list, ({ items }, p) =>
        items.length === 0
          ? 'No runs.'
          : table(
              p,
              ['STARTED', 'WORKFLOW', 'RUN', 'STATUS', 'TOOK', 'FOR', 'ERROR'],
              items.map((run) => [
                localTime(run.started),
                p.bold(run.workflow),
                run.run,
                state(p, run.status),
                took(run),
                run.event === undefined ? '' : `${run.event.type} ${run.event.id}`,
                run.error ?? '',
              ]),
            ),
      )
      cli.note(more(list))
    })

  const named = (name: string) =>
    group
      .command(name)
      .argument('<workflow>', 'its workflow', plainId)
      .argument('<run>', 'its name, as listed', plainId)

  named('show')
    .description('a run: how it stands, what it was started for, its input and output')
    .addHelpText('after', examples('runs show test-and-validate b1946ac92492d2347c6235b4d2611184'))
    .action(async (workflow: string, run: string) => {
      const api = await cli.api()
      cli.show(await api.runOf(workflow, run), runText)
    })

  named('stop')
    .description('stop a run that has not ended')
    .option('--reason <text>', 'kept with the run')
    .addHelpText(
      'after',
      examples('runs stop test-and-validate b1946ac92492d2347c6235b4d2611184 --reason "wrong branch"'),
    )
    .action(async (workflow: string, run: string, { reason }: { reason?: string }) => {
      const api = await cli.api()
      cli.show(await api.stopRun(workflow, run, reason), () => `${workflow} ${run} is being stopped.`)
    })

  named('retry')
    .description('run it again, as the next attempt, when it has failed')
    .addHelpText('after', examples('runs retry test-and-validate b1946ac92492d2347c6235b4d2611184'))
    .action(async (workflow: string, run: string) => {
      const api = await cli.api()
      cli.show(
        await api.retryRun(workflow, run),
        (again, p) =>
          `Attempt ${again.attempt} is run ${p.bold(again.run)}: loadpath runs show ${workflow} ${again.run}`,
      )
    })
}
