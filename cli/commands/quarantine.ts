import { type Command, Option } from 'commander'
import { mergedGroups } from '../../core/quarantine/quarantine-groups.ts'
import { agreed, asksFirst } from '../agree.ts'
import type { MendedQuarantine } from '../answers-mending.ts'
import type { Api, QuarantineFilter } from '../api.ts'
import type { Cli } from '../context.ts'
import { UsageError } from '../faults.ts'
import { digestId, examples, gather, instant, more, positive, upToThousand } from '../options.ts'
import { count, fields, localTime } from '../output.ts'
import { whole, wholeOnes } from '../quarantine-digest.ts'
import {
  entriesText,
  faultLines,
  groupsText,
  mendedText,
  nothing,
  redrivenText,
  settledListText,
  settledText,
} from '../quarantine-view.ts'
import { redriveAll } from '../redrive-quarantine.ts'

type Filter = { reason?: string; type?: string; path?: string; since?: string }

const filtered = (command: Command, now: () => number): Command =>
  command
    .option(
      '--reason <reason>',
      'only what was refused for this: invalid, forged, conflict, loop, unreadable',
    )
    .option('--type <type>', 'only of this type')
    .option('--path <path>', 'only with its first fault at this place, such as data.ref')
    .option('--since <time>', 'only what came at this time or later', instant(now))

const filterOf = ({ reason, type, path, since }: Filter): QuarantineFilter => ({
  ...(reason && { reason }),
  ...(type && { type }),
  ...(path && { path }),
  ...(since && { since }),
})

/** What is meant: those that are named, or what the filters say; with neither, everything has to be said. */
function whichOf(given: readonly string[], { all, ...filter }: Filter & { all?: boolean }) {
  const some = filterOf(filter)
  const isFiltered = Object.keys(some).length > 0
  if (given.length === 0 && !isFiltered && !all)
    throw new UsageError('say which: a digest, a filter such as --reason or --since, or --all')
  if (given.length > 0 && (isFiltered || all))
    throw new UsageError(
      'a digest names the one that is meant: leave --reason, --type, --path, --since and --all away',
    )
  return some
}

export function quarantine(program: Command, cli: Cli): void {
  const group = program
    .command('quarantine')
    .description('what came in and was no valid event: shown, mended, or dropped')
    .addHelpText('after', examples('quarantine list'))
  list(group, cli)
  show(group, cli)
  edit(group, cli)
  redrive(group, cli)
  drop(group, cli)
}

type Listed = Filter & { all?: boolean; limit?: number; cursor?: string; settled?: boolean }

function list(group: Command, cli: Cli): void {
  filtered(group.command('list'), cli.io.now)
    .description('what waits there, by reason, type and the place of the first fault; or one by one')
    .option('--all', 'one by one, every one, newest first')
    .addOption(new Option('--limit <n>', 'one by one, at most so many').argParser(positive))
    .option('--cursor <cursor>', 'one by one, on from where an earlier list ended (its `next`)')
    .option('--settled', 'what was recorded or dropped in the last 30 days')
    .addHelpText(
      'after',
      examples('quarantine list', 'quarantine list --all --type github.push', 'quarantine list --settled'),
    )
    .action(async ({ all, limit, cursor, settled, ...filter }: Listed) => {
      const api = await cli.api()
      const paging = { limit: limit ?? 20, ...(all && { all }), ...(cursor && { cursor }) }
      if (settled) {
        const found = await gather(paging, (at) => api.quarantineSettled(at))
        cli.show(found, settledListText)
        cli.note(more(found))
      } else if (all || limit !== undefined || cursor !== undefined) {
        const found = await gather(paging, (at) => api.quarantine({ ...filterOf(filter), ...at }))
        cli.show(found, entriesText)
        cli.note(more(found))
      } else cli.show({ items: await allGroups(api, filterOf(filter)) }, groupsText)
    })
}

async function allGroups(api: Api, filter: QuarantineFilter) {
  let groups: Awaited<ReturnType<Api['quarantineGroups']>>['items'] = []
  let cursor: string | undefined
  do {
    const { items, next } = await api.quarantineGroups({ ...filter, cursor })
    groups = mergedGroups(groups, items)
    cursor = next
  } while (cursor !== undefined)
  return groups
}

function show(group: Command, cli: Cli): void {
  group
    .command('show')
    .argument('<digest>', 'as listed; its first characters, 4 at least, where no other begins so', digestId)
    .description('one of them: what is wrong where, and the text as it came')
    .addHelpText('after', examples('quarantine show 3f2a9c01b4d7', 'quarantine show 3f2a9c01b4d7 --json'))
    .action(async (digest: string) => {
      const api = await cli.api()
      cli.show(await api.quarantined(await whole(digest, api)), (entry, p) =>
        [
          `${p.red(entry.reason)}  ${entry.digest}`,
          fields(p, {
            received: localTime(entry.received),
            door: entry.door,
            type: entry.type,
            source: entry.source,
            id: entry.id,
            faults: faultLines(entry.faults).join('\n'),
            settled: entry.settled && settledText(entry.settled),
          }),
          '',
          entry.raw ?? '',
        ].join('\n'),
      )
    })
}

/** It is as it was to be, by this call or by an earlier one. */
const stands = ({ outcome, settled }: MendedQuarantine, wanted: 'recorded' | 'dropped'): boolean =>
  outcome === 'already' ? settled?.state === wanted : outcome !== 'refused' && outcome !== 'failed'

function edit(group: Command, cli: Cli): void {
  group
    .command('edit')
    .argument('<digest>', 'as listed; its first characters, 4 at least, where no other begins so', digestId)
    .description('mend one and send it through the gate; without options in your editor')
    .option(
      '--data <file|-|json>',
      'the data of its event, in place of what it has: JSON, a file, or - for standard input',
    )
    .option('--text <file|->', 'the whole text in place of it: a file, or - for standard input')
    .option('--dry-run', 'only say what would come of it')
    .addHelpText(
      'after',
      examples(
        'quarantine edit 3f2a9c01b4d7',
        'quarantine edit 3f2a9c01b4d7 --data mended.json --dry-run',
        'quarantine show 3f2a9c01b4d7 --json | jq -r .raw | sed s/mian/main/ | loadpath quarantine edit 3f2a9c01b4d7 --text -',
      ),
    )
    .action(async (given: string, options: { data?: string; text?: string; dryRun?: boolean }) => {
      if (options.data !== undefined && options.text !== undefined)
        throw new UsageError('give either --data or --text')
      const api = await cli.api()
      const digest = await whole(given, api)
      const dryRun = options.dryRun === true
      const byHand = options.data === undefined && options.text === undefined
      const answer = byHand
        ? await editByHand(cli, api, digest, dryRun)
        : await api.editQuarantined(digest, { ...(await editOf(cli, options)), dryRun })
      if (!stands(answer, 'recorded')) cli.failed()
      cli.show(answer, (one, p) => mendedText(one, p, dryRun))
    })
}

async function editOf(
  cli: Cli,
  { data, text = '' }: { data?: string; text?: string },
): Promise<{ data: unknown } | { text: string }> {
  const { givenJson, givenText } = await import('../given.ts')
  if (data !== undefined) return { data: await givenJson(cli, '--data', data) }
  return { text: await givenText(cli, '--text', text) }
}

async function editByHand(cli: Cli, api: Api, digest: string, dryRun: boolean): Promise<MendedQuarantine> {
  const { editUntilTaken } = await import('../edit.ts')
  const { raw = '' } = await api.quarantined(digest)
  const how = { name: `${digest.slice(0, 12)}.json`, instead: '--data or --text' }
  return editUntilTaken(cli, pretty(raw), how, async (text) => {
    const answer = await api.editQuarantined(digest, { text, dryRun })
    if (answer.outcome === 'refused') throw new UsageError(faultLines(answer.faults ?? []).join('\n'))
    return answer
  })
}

function pretty(raw: string): string {
  try {
    return `${JSON.stringify(JSON.parse(raw), null, 2)}\n`
  } catch {
    // no JSON: it is edited as it is
    return raw
  }
}

type Redrive = Filter & { all?: boolean; dryRun?: boolean; rate: number; stopAfter: number }

function redrive(group: Command, cli: Cli): void {
  filtered(
    group.command('redrive').argument('[digest]', 'one of them; else the filters say which', digestId),
    cli.io.now,
  )
    .description('send what waits through the gate once more, as it came; what is still refused stays')
    .option('--all', 'everything that waits')
    .option('--dry-run', 'only say what would come of it')
    .addOption(
      new Option('--rate <n>', 'at most so many a second, 1 to 1000').argParser(upToThousand).default(20),
    )
    .addOption(
      new Option('--stop-after <n>', 'stop when so many are refused alike').argParser(positive).default(10),
    )
    .addHelpText(
      'after',
      examples(
        'quarantine redrive 3f2a9c01b4d7',
        'quarantine redrive --type github.push --since 2h --dry-run',
        'quarantine redrive --reason invalid --rate 5',
      ),
    )
    .action(async (given: string | undefined, { dryRun = false, rate, stopAfter, ...filter }: Redrive) => {
      const some = whichOf(given === undefined ? [] : [given], filter)
      const api = await cli.api()
      if (given === undefined) {
        const done = await redriveAll(cli, api, some, { dryRun, rate, stopAfter })
        if (done.stopped || done.interrupted || done.counts.refused || done.counts.failed) cli.failed()
        cli.show(done, (all, p) => redrivenText(all, p, dryRun))
        return
      }
      const answer = await api.redriveQuarantined(await whole(given, api), { dryRun })
      if (!stands(answer, 'recorded')) cli.failed()
      cli.show(answer, (one, p) => mendedText(one, p, dryRun))
    })
}

type Drop = Filter & { all?: boolean; because?: string; yes?: boolean }

function drop(group: Command, cli: Cli): void {
  const command = group
    .command('drop')
    .argument(
      '[digest...]',
      'as listed, or first characters of each; else the filters say which',
      (text, before: readonly string[] | undefined) => [...(before ?? []), digestId(text)],
    )
  asksFirst(filtered(command, cli.io.now))
    .description('decide that something is not to be recorded; its text is kept for 30 days')
    .option('--all', 'everything that waits')
    .option('--because <text>', 'why: kept with who dropped it')
    .addHelpText(
      'after',
      examples(
        'quarantine drop 3f2a9c01b4d7 --because "a test of the sender"',
        'quarantine drop --reason forged --since 2h --yes',
      ),
    )
    .action(async (given: string[], { because, yes, ...filter }: Drop) => {
      const some = whichOf(given, filter)
      const api = await cli.api()
      const meant = given.length > 0 ? await wholeOnes(given, api) : await digestsOf(api, some)
      await agreed(
        cli,
        yes || meant.length === 0,
        async () => `Drop ${count(meant.length, 'entry', 'entries')}? Nothing of it will be recorded.`,
      )
      const { steadily } = await import('../steadily.ts')
      const items: MendedQuarantine[] = []
      for (const digest of meant)
        items.push(await steadily(cli, () => api.dropQuarantined(digest, because ? { reason: because } : {})))
      if (given.length > 0 && !items.every((item) => stands(item, 'dropped'))) cli.failed()
      cli.show({ items }, (all, p) =>
        all.items.length === 0 ? nothing : all.items.map((one) => mendedText(one, p, false)).join('\n'),
      )
    })
}

async function digestsOf(api: Api, filter: QuarantineFilter): Promise<string[]> {
  const { items } = await gather({ limit: 0, all: true }, (at) => api.quarantine({ ...filter, ...at }))
  return items.map(({ digest }) => digest)
}
