import type { Api } from './api.ts'
import { ApiError } from './client.ts'
import type { Cli } from './context.ts'
import { CommandError } from './faults.ts'
import { pause } from './io.ts'
import { clockMillis, localTime } from './output.ts'

type Entry = Awaited<ReturnType<Api['events']>>['items'][number]
type Filter = { type?: string; key?: string }

const everyMilliseconds = 1000
/** An event may show up in the timeline this much later than its time of receipt says. */
const lateness = 60_000
/** pages without any event that one looks through for the first lines */
const patience = 3

/** Prints the newest events, oldest first, and with `follow` each that comes, once, until interrupted. */
export async function follow(
  cli: Cli,
  { type, key, since, lines, follow: goOn }: Filter & { since?: string; lines: number; follow?: boolean },
): Promise<void> {
  const api = await cli.api()
  const filter: Filter = { ...(type && { type }), ...(key && { key }) }
  const seen = new Map<string, number>()
  const isNew = (entry: Entry) => {
    const identity = `${entry.source} ${entry.id}`
    if (seen.has(identity)) return false
    seen.set(identity, Date.parse(entry.received))
    return true
  }
  // what is there already and is not among the first lines is no news
  if (goOn) for (const entry of await all(api, filter, cli.io.now() - lateness)) isNew(entry)
  for (const entry of (await newest(api, filter, since, lines)).reverse()) {
    isNew(entry)
    print(cli, entry)
  }
  if (!goOn) return
  const signal = cli.io.interrupted()
  const patient = patiently(cli)
  for (;;) {
    await pause(everyMilliseconds, signal)
    if (signal.aborted) return
    const from = cli.io.now() - lateness
    for (const [identity, received] of seen) if (received < from - lateness) seen.delete(identity)
    const found = (await patient(() => all(api, filter, from))) ?? []
    for (const entry of found.reverse().filter(isNew)) print(cli, entry)
  }
}

const print = (cli: Cli, entry: Entry): void =>
  cli.stream(entry, ({ received, type, id, source }, p) =>
    [
      p.dim(`${localTime(received).slice(0, 10)} ${clockMillis(received)}`),
      p.bold(type),
      id,
      p.dim(source),
    ].join('  '),
  )

/** What follows a stage outlives its restart: no answer is said once and waited out, a refusal is not. */
export function patiently(cli: Cli): <T>(work: () => Promise<T>) => Promise<T | undefined> {
  let waiting = false
  return async (work) => {
    try {
      const answer = await work()
      waiting = false
      return answer
    } catch (error) {
      if (!(error instanceof CommandError) || (error instanceof ApiError && error.status < 500)) throw error
      if (!waiting) cli.note(`${error.message}\nTrying again until it answers; Ctrl-C ends this.`)
      waiting = true
      return undefined
    }
  }
}

async function newest(api: Api, filter: Filter, since: string | undefined, wanted: number): Promise<Entry[]> {
  const found: Entry[] = []
  let cursor: string | undefined
  for (let empty = 0; found.length < wanted && empty < patience; ) {
    const page = await api.events({
      ...filter,
      ...(since && { since }),
      limit: Math.min(wanted - found.length, 100),
      cursor,
    })
    found.push(...page.items)
    if (page.items.length === 0) empty++
    if (page.next === undefined) break
    cursor = page.next
  }
  return found
}

/** Everything received since then (milliseconds), newest first. */
async function all(api: Api, filter: Filter, since: number): Promise<Entry[]> {
  const found: Entry[] = []
  let cursor: string | undefined
  do {
    const page = await api.events({ ...filter, since: new Date(since).toISOString(), limit: 100, cursor })
    found.push(...page.items)
    cursor = page.next
  } while (cursor !== undefined)
  return found
}
