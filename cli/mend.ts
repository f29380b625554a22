import { agreed } from './agree.ts'
import type { Api, Named, Selected } from './api.ts'
import type { Cli } from './context.ts'
import { anyDead, type DeadGroups, gatherGroups, groupsTable, noneText, partial } from './dead-groups.ts'
import { asWhom } from './fate-view.ts'
import { CommandError, UsageError } from './faults.ts'
import { followJob } from './follow-job.ts'
import { jobText } from './job-view.ts'
import { count, type Paint, state } from './output.ts'
import { selected } from './selection.ts'
import { askOnce } from './steadily.ts'

type Which = Selected & { source?: string; replay?: string; all?: boolean }
export type RedriveOptions = Which & { dryRun?: boolean; rate?: number; stopAfter?: number; wait?: boolean }
export type DropOptions = Which & { because?: string; yes?: boolean }

/** What was asked for: one event, or what the filters say. */
function whichOf(
  id: string | undefined,
  options: Which,
): { one: string } | { some: Selected & { all?: true } } {
  const filters = selected(options)
  const { subscriber: _, ...others } = filters
  if (id !== undefined) {
    if (Object.keys(others).length > 0 || options.all)
      throw new UsageError('one event, or filters: with an event only --subscriber, --replay and --source go')
    return { one: id }
  }
  for (const name of ['source', 'replay'] as const)
    if (options[name] !== undefined) throw new UsageError(`--${name} goes with an event`)
  if (Object.keys(filters).length > 0) {
    if (options.all) throw new UsageError('--all means every one: leave it or the filters away')
    return { some: filters }
  }
  if (!options.all)
    throw new UsageError('say which: an event, a filter such as --subscriber or --since, or --all')
  return { some: { all: true } }
}

const namedOf = ({ subscriber, source, replay }: Which): Named => ({
  ...(subscriber !== undefined && { subscriber }),
  ...(source !== undefined && { source }),
  ...(replay !== undefined && { replay }),
})

export async function redrive(cli: Cli, id: string | undefined, options: RedriveOptions): Promise<void> {
  const which = whichOf(id, options)
  const { dryRun, rate, stopAfter, wait } = options
  if ('one' in which) {
    const ofJobs = Object.entries({ rate, 'stop-after': stopAfter, wait }).find(
      ([, given]) => given !== undefined,
    )
    if (ofJobs !== undefined)
      throw new UsageError(`--${ofJobs[0]} goes with filters: one event is sent at once`)
    const api = await cli.api()
    if (dryRun) {
      cli.show(await deadOf(api, which.one, options), ({ event, deliveries: dead }) =>
        dead.map((one) => `${event.type} ${event.id} would be sent to ${asWhom(one)}.`).join('\n'),
      )
      return
    }
    const answer = await api.redrive(which.one, namedOf(options))
    cli.show(answer, ({ items }, p) => items.map((item) => line(item, p)).join('\n'))
    if (answer.items.every(isNotSent)) cli.failed()
    return
  }
  const api = await cli.api()
  const { all: _, ...filters } = which.some
  if (dryRun) {
    const found = await gatherGroups(api, filters)
    if (found.count === 0) await showNone(cli, api, filters, found)
    else
      cli.show(found, (groups, p) =>
        [groupsTable(groups, p), `${deliveries(groups.count)} would be sent.`].join('\n'),
      )
    cli.note(partial(found))
    return
  }
  if (!(await anyDead(api, filters))) return showNone(cli, api, filters)
  const request = {
    ...which.some,
    ...(rate === undefined ? {} : { rate }),
    ...(stopAfter === undefined ? {} : { stopAfter }),
  }
  const asked = await askOnce(cli, (key) => api.redriveAll(request, key))
  if (!wait) cli.note(`loadpath jobs show ${asked.id} says how far it is.`)
  cli.show(wait ? await followJob(cli, api, asked.id) : asked, jobText)
}

/** Neither now nor by an earlier redrive. */
const isNotSent = ({ outcome, state: now }: Item): boolean => outcome === 'blocked' || now === 'dropped'

async function showNone(cli: Cli, api: Api, filters: Selected, found?: DeadGroups): Promise<void> {
  const none = await noneText(api, filters)
  cli.show(found ?? { groups: [], count: 0, complete: true, unreadable: [] }, () => none)
}

/** The deliveries that are meant and dead; there is at least one. */
async function deadOf(api: Api, id: string, { source, subscriber, replay }: Which) {
  const { event, deliveries: all } = await api.event(id, source)
  const meant = all.filter(
    (one) => (subscriber ?? one.subscriber) === one.subscriber && (replay ?? one.replay) === one.replay,
  )
  const dead = meant.filter((one) => one.state === 'dead')
  if (dead.length > 0) return { event, deliveries: dead }
  const stand = meant.map((one) => `${asWhom(one)} is ${one.state}`).join(', ')
  throw new CommandError(`No such delivery of ${id} is dead${stand === '' ? '' : `: ${stand}`}`)
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
  const { because, yes } = options
  if ('one' in which) {
    await agreed(cli, yes, async () => `Drop the delivery of ${which.one}? ${forGood}`)
    const answer = await api.drop(which.one, {
      ...namedOf(options),
      ...(because !== undefined && { reason: because }),
    })
    cli.show(answer, ({ items }, p) => items.map((item) => line(item, p)).join('\n'))
    return
  }
  const { all: _, ...filters } = which.some
  if (!(await anyDead(api, filters))) return showNone(cli, api, filters)
  let until = filters.until
  await agreed(cli, yes, async () => {
    const began = new Date(cli.io.now()).toISOString()
    const found = await gatherGroups(api, filters)
    cli.note(groupsTable(found, plain))
    // what dies after it was counted was not agreed to; where all were, the stage's own clock says when
    const last = found.groups
      .map((group) => group.last)
      .toSorted()
      .at(-1)
    until = (found.complete ? last : undefined) ?? until ?? began
    return `Drop ${found.complete ? '' : 'more than '}${deliveries(found.count)}? ${forGood}`
  })
  const request = {
    ...(until === undefined ? which.some : { ...filters, until }),
    ...(because !== undefined && { because }),
  }
  cli.show(await dropAll(api, request), ({ dropped, already, unreadable }) =>
    [
      `${deliveries(dropped)} dropped.`,
      ...(already > 0 ? [`${already} had been dealt with meanwhile.`] : []),
      ...(unreadable > 0
        ? [`${unreadable} were left: newer code wrote them, or their bodies are gone.`]
        : []),
    ].join(' '),
  )
}

const forGood = 'Nobody will handle it any more.'

const same = (text: string): string => text
const plain: Paint = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same }

async function dropAll(
  api: Pick<Api, 'dropSome'>,
  request: Parameters<Api['dropSome']>[0],
): Promise<{ dropped: number; already: number; unreadable: number }> {
  const total = { dropped: 0, already: 0, unreadable: 0 }
  let cursor: string | undefined
  do {
    const { dropped, already, unreadable, next } = await api.dropSome({
      ...request,
      ...(cursor && { cursor }),
    })
    total.dropped += dropped
    total.already += already
    total.unreadable += unreadable
    cursor = next
  } while (cursor !== undefined)
  return total
}
