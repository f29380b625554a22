import type { Api, Selected } from './api.ts'
import type { Cli } from './context.ts'
import { gatherGroups, groupsTable, partial } from './dead-groups.ts'
import { UsageError } from './faults.ts'
import { followJob } from './follow-job.ts'
import { jobText } from './job-view.ts'
import { count, type Paint, state } from './output.ts'
import { selected } from './selection.ts'

type Which = Selected & { source?: string; all?: boolean }
export type RedriveOptions = Which & { dryRun?: boolean; rate?: number; stopAfter?: number; wait?: boolean }
export type DropOptions = Which & { because?: string; yes?: boolean }

/** What was asked for: one event, or what the filters say. */
function whichOf(id: string | undefined, options: Which): { one: string } | { some: Selected } {
  const filters = selected(options)
  const { subscriber: _, ...others } = filters
  if (id !== undefined) {
    if (Object.keys(others).length > 0 || options.all)
      throw new UsageError('one event, or filters: with an event only --subscriber and --source go')
    return { one: id }
  }
  if (options.source !== undefined) throw new UsageError('--source goes with an event')
  if (Object.keys(filters).length === 0 && !options.all)
    throw new UsageError('say which: an event, a filter such as --subscriber or --since, or --all')
  return { some: filters }
}

const namedOf = ({ subscriber, source }: Which) => ({
  ...(subscriber && { subscriber }),
  ...(source && { source }),
})

export async function redrive(cli: Cli, id: string | undefined, options: RedriveOptions): Promise<void> {
  const which = whichOf(id, options)
  const api = await cli.api()
  const { dryRun, rate, stopAfter, wait } = options
  if ('one' in which) {
    if (dryRun) {
      const letter = await api.deadLetter(which.one, namedOf(options))
      cli.show(
        letter,
        ({ delivery, event }) => `${event.type} ${event.id} would be sent to ${delivery.subscriber}.`,
      )
      return
    }
    const answer = await api.redrive(which.one, namedOf(options))
    cli.show(answer, ({ items }, p) => items.map((item) => line(item, p)).join('\n'))
    if (!answer.items.some(({ outcome }) => outcome !== 'blocked')) cli.failed()
    return
  }
  if (dryRun) {
    const found = await gatherGroups(api, which.some)
    cli.show(found, (groups, p) =>
      [
        groupsTable(groups, p),
        ...(groups.count > 0 ? [`${deliveries(groups.count)} would be sent.`] : []),
      ].join('\n'),
    )
    cli.note(partial(found))
    return
  }
  const asked = await api.redriveAll({
    ...which.some,
    ...(rate === undefined ? {} : { rate }),
    ...(stopAfter === undefined ? {} : { stopAfter }),
  })
  if (!wait) cli.note(`loadpath jobs show ${asked.id} says how far it is.`)
  cli.show(wait ? await followJob(cli, api, asked.id) : asked, jobText)
}

const deliveries = (n: number): string => count(n, 'delivery', 'deliveries')

type Item = {
  subscriber: string
  replay: string
  state: string
  outcome: string
  detail?: string | undefined
}

function line({ subscriber, replay, outcome, state: now, detail }: Item, p: Paint): string {
  const to = `${p.bold(subscriber)}${replay === '' ? '' : ` (replay ${replay})`}`
  const said = outcome === 'already' ? `already ${now}` : outcome
  return `${to} ${state(p, said)}${detail === undefined ? '' : `: ${detail}`}`
}

export async function drop(cli: Cli, id: string | undefined, options: DropOptions): Promise<void> {
  const which = whichOf(id, options)
  const api = await cli.api()
  const why = options.because === undefined ? {} : { why: options.because }
  if ('one' in which) {
    await agreed(cli, options, async () => `Drop the dead delivery of ${which.one}`)
    const answer = await api.drop(which.one, { ...namedOf(options), ...why })
    cli.show(answer, ({ items }, p) => items.map((item) => line(item, p)).join('\n'))
    return
  }
  await agreed(cli, options, async () => {
    const found = await gatherGroups(api, which.some)
    cli.note(groupsTable(found, plain))
    return `Drop ${found.complete ? '' : 'more than '}${deliveries(found.count)}`
  })
  cli.show(await dropAll(api, { ...which.some, ...why }), ({ dropped, already }) =>
    [
      `${deliveries(dropped)} dropped.`,
      ...(already > 0 ? [`${already} had been dealt with meanwhile.`] : []),
    ].join(' '),
  )
}

const same = (text: string): string => text
const plain: Paint = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same }

async function dropAll(
  api: Pick<Api, 'dropSome'>,
  request: Parameters<Api['dropSome']>[0],
): Promise<{ dropped: number; already: number }> {
  const total = { dropped: 0, already: 0 }
  let cursor: string | undefined
  do {
    const { dropped, already, next } = await api.dropSome({ ...request, ...(cursor && { cursor }) })
    total.dropped += dropped
    total.already += already
    cursor = next
  } while (cursor !== undefined)
  return total
}

/** @throws UsageError when nobody is there to be asked, and when they do not agree */
async function agreed(cli: Cli, { yes }: DropOptions, question: () => Promise<string>): Promise<void> {
  if (yes) return
  if (cli.io.agrees === undefined)
    throw new UsageError(
      'what is dropped is not handled any more: nobody is at a terminal to be asked, so say --yes',
    )
  if (!(await cli.io.agrees(`${await question()}? Nobody will handle it any more.`)))
    throw new UsageError('Nothing was dropped.')
}
