import { type Command, Option } from 'commander'
import type { CountedReplay, Replay } from './answers-mending.ts'
import type { Api } from './api.ts'
import type { Cli } from './context.ts'
import { CommandError } from './faults.ts'
import { followJob } from './follow-job.ts'
import { jobText } from './job-view.ts'
import { examples, plainId, upToThousand } from './options.ts'
import { type Paint, table } from './output.ts'

/** What replays and rebuilds share: both are jobs over the history, and both can be counted first. */

export type Kind = 'replay' | 'rebuild'

export const paced = (command: Command): Command =>
  command
    .option('--dry-run', 'only say how many events, by type')
    .option('--rate <n>', 'deliveries a second, 1 to 1000; default: 50', upToThousand)
    .addOption(
      new Option('--as-recorded', 'what expected it when it was recorded, not what its route takes now'),
    )
    .option(
      '--wait',
      'show the progress until it has ended; exit code 1 when it did not come to its end, or not whole',
    )

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

/** `why`: what is left out, and may be. */
export const countedText =
  (why: string) =>
  ({ types, left, unreadable }: Counted, p: Paint): string => {
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
      ...(left === 0 ? [] : [`${left} are left out: ${why}`]),
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
          ...names('different and not replaced: made from events that are kept no more', report.older),
          ...report.failed.slice(0, shownOf).map(({ id, reason }) => `${p.red('failed')} ${id}: ${reason}`),
        ]),
  ].join('\n')
}

const valueText = ({ before, after }: { before?: unknown; after?: unknown }): string =>
  `${JSON.stringify(before) ?? 'nothing'} -> ${JSON.stringify(after) ?? 'nothing'}`

/** What it found; all else that one does with a job is among `jobs`. */
export function showCommand(group: Command, kind: Kind, cli: Cli): void {
  group
    .command('show')
    .argument('<job>', `as \`loadpath jobs list --kind ${kind}\` lists it`, plainId)
    .description('how far it is, and what it found')
    .addHelpText('after', examples(`${kind} show 5f0e9d0f1c1c9b4d8a11`))
    .action(async (id: string) => {
      const api = await cli.api()
      const found = await api.replayOf(id)
      if (found.kind !== kind)
        throw new CommandError(`job ${id} is a ${found.kind}: loadpath ${found.kind} show ${id}`)
      cli.show(found, replayText)
    })
}
