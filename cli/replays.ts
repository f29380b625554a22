import { type Command, Option } from 'commander'
import type { CountedReplay, Replay } from './answers.ts'
import type { Api } from './api.ts'
import type { Cli } from './context.ts'
import { followJob } from './follow-job.ts'
import { countsText, jobText } from './job-view.ts'
import { examples, gather, more, type Paging, paged, positive } from './options.ts'
import { localTime, type Paint, state, table } from './output.ts'

/** What replays and rebuilds share: both are jobs over the history, and both can be counted first. */

export type Kind = 'replay' | 'rebuild'

export const paced = (command: Command): Command =>
  command
    .option('--dry-run', 'only say how many events, by type')
    .option('--rate <n>', 'deliveries a second; default: 50', positive)
    .addOption(
      new Option('--as-recorded', 'what expected it when it was recorded, not what its route takes now'),
    )
    .option('--wait', 'show the progress until it has ended; exit code 1 when it did not come to its end')

type Counted = { types: Record<string, number>; left: number; unreadable: number }

/** Adds up what one look after the other has counted. */
export async function countAll(
  look: (cursor: string | undefined) => Promise<CountedReplay>,
): Promise<Counted> {
  const all: Counted = { types: {}, left: 0, unreadable: 0 }
  let cursor: string | undefined
  do {
    const found = await look(cursor)
    for (const [type, count] of Object.entries(found.types)) all.types[type] = (all.types[type] ?? 0) + count
    all.left += found.left
    all.unreadable += found.unreadable
    cursor = found.next
  } while (cursor !== undefined)
  return all
}

export function countedText({ types, left, unreadable }: Counted, p: Paint): string {
  const rows = Object.entries(types).toSorted(([, a], [, b]) => b - a)
  const total = rows.reduce((sum, [, count]) => sum + count, 0)
  return [
    total === 0
      ? 'No event of the history fits.'
      : table(
          p,
          ['EVENTS', 'TYPE'],
          [...rows, ['in all', total] as const].map(([type, n]) => [String(n), type]),
        ),
    ...(left === 0 ? [] : [`${left} are left out: dropped, or still on their way`]),
    ...(unreadable === 0 ? [] : [p.yellow(`${unreadable} cannot be read`)]),
  ].join('\n')
}

/** The end of a job that was just asked for, or that it was asked for. */
export async function showAsked(
  cli: Cli,
  api: Api,
  asked: Awaited<ReturnType<Api['replay']>>,
  wait: boolean | undefined,
): Promise<void> {
  cli.note(asked.note ?? '')
  if (!wait) {
    cli.show(asked, jobText)
    cli.note(`loadpath ${asked.kind} show ${asked.id} says how far it is`)
    return
  }
  await followJob(cli, api, asked.id)
  cli.show(await api.replayOf(asked.id), replayText)
}

const shownOf = 20

export function replayText(found: Replay, p: Paint): string {
  const { differing = [], report } = found
  const names = (title: string, records: readonly { kind: string; name: string }[]) =>
    records.length === 0
      ? []
      : [`${p.bold(title)}`, ...records.slice(0, shownOf).map(({ kind, name }) => `  ${kind} ${name}`)]
  const notes = differing
    .slice(0, shownOf)
    .flatMap(({ id, notes: lines }) => [`  ${id}`, ...lines.map((line) => `    ${line}`)])
  return [
    jobText(found, p),
    ...(found.state === 'running' ? [`at: ${found.step}`] : []),
    ...(notes.length === 0 ? [] : [p.bold('would have been emitted otherwise'), ...notes]),
    ...(report === undefined
      ? []
      : [
          ...report.different
            .slice(0, shownOf)
            .flatMap(({ kind, name, changes }) => [
              `${p.bold('different')} ${kind} ${name}`,
              ...changes.map((change) => `  ${p.dim(change.path)} ${valueText(change)}`),
            ]),
          ...names('only rebuilt', report.onlyRebuilt),
          ...names('only live: no event of the history explains them; they are left alone', report.onlyLive),
          ...report.failed.slice(0, shownOf).map(({ id, reason }) => `${p.red('failed')} ${id}: ${reason}`),
        ]),
  ].join('\n')
}

const valueText = ({ before, after }: { before?: unknown; after?: unknown }): string =>
  `${JSON.stringify(before) ?? 'nothing'} -> ${JSON.stringify(after) ?? 'nothing'}`

/** What one does with a job of a kind once it has been asked for. */
export function jobCommands(group: Command, kind: Kind, cli: Cli): void {
  paged(group.command('list'))
    .description(`${kind}s, newest first`)
    .addHelpText('after', examples(`${kind} list`))
    .action(async (paging: Paging) => {
      const api = await cli.api()
      const list = await gather(paging, (at) => api.jobs({ kind, ...at }))
      cli.show(list, ({ items }, p) =>
        items.length === 0
          ? `No ${kind}s.`
          : table(
              p,
              ['ASKED', 'ID', 'OF', 'STATE', 'BY', 'SO FAR'],
              items.map((job) => [
                localTime(job.asked),
                job.id,
                p.bold(job.subscriber),
                state(p, job.state),
                job.by,
                countsText(job.counts),
              ]),
            ),
      )
      cli.note(more(list))
    })

  const named = (name: string) => group.command(name).argument('<id>', 'as listed')
  const example = '5f0e9d0f1c1c9b4d8a11'

  named('show')
    .description('how far it is, and what it found')
    .addHelpText('after', examples(`${kind} show ${example}`))
    .action(async (id: string) => {
      const api = await cli.api()
      cli.show(await api.replayOf(id), replayText)
    })

  named('pause')
    .description('pause it; what it has sent is handled')
    .addHelpText('after', examples(`${kind} pause ${example}`))
    .action(async (id: string) => {
      const api = await cli.api()
      cli.show(await api.pauseJob(id), jobText)
    })

  named('resume')
    .description('go on with one that is paused, or whose run was interrupted')
    .addHelpText('after', examples(`${kind} resume ${example}`))
    .action(async (id: string) => {
      const api = await cli.api()
      cli.show(await api.resumeJob(id), jobText)
    })

  named('stop')
    .description('end it before it is done')
    .option('--reason <text>', 'kept with it')
    .addHelpText('after', examples(`${kind} stop ${example} --reason "the wrong day"`))
    .action(async (id: string, { reason }: { reason?: string }) => {
      const api = await cli.api()
      cli.show(await api.stopJob(id, reason), jobText)
    })
}
