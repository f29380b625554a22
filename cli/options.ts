import { type Command, InvalidArgumentError, Option } from 'commander'
import { UsageError } from './faults.ts'

/** A number of things: 1 or more. */
export function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a whole number from 1 on.')
  return value
}

export function above0(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError('expected a number above 0, such as 1.5.')
  return value
}

/** A score. */
export function upToHundred(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!(value >= 0 && value <= 100))
    throw new InvalidArgumentError('expected a number from 0 to 100, such as 70.')
  return value
}

/** The id of an event or a story, which may be anything. */
export function anyId(text: string): string {
  if (text === '') throw new InvalidArgumentError('expected an id.')
  return text
}

/** An id or a name that Loadpath gives. What reads like a path is none, and is told before anything is sent. */
export function plainId(text: string): string {
  if (/^\.{0,2}$|\//.test(text)) throw new InvalidArgumentError('expected an id: no /, and neither . nor ..')
  return text
}

/** The digest of what is in quarantine, or how it begins. */
export function digestId(text: string): string {
  const digest = text.toLowerCase()
  if (!/^[0-9a-f]{4,64}$/.test(digest))
    throw new InvalidArgumentError('expected a digest, or its first characters, 4 at least (0-9, a-f).')
  return digest
}

/** `<owner>/<name>`. */
export function repositoryId(text: string): string {
  const names = text.split('/')
  if (names.length !== 2 || names.some((name) => /^\.{0,2}$/.test(name)))
    throw new InvalidArgumentError('expected <owner>/<name>.')
  return text
}

/** Deliveries a second, and whatever else the API takes a thousand of. */
export function upToThousand(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 1000)
    throw new InvalidArgumentError('expected a whole number from 1 to 1000.')
  return value
}

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const isUnit = (text: string | undefined): text is keyof typeof units => text !== undefined && text in units

/** `90s`, `15m`, `2h`, `7d` as milliseconds; undefined when it is none. */
export function milliseconds(text: string): number | undefined {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(text) ?? []
  return isUnit(unit) ? Number(amount) * units[unit] : undefined
}

/** A time, or how long ago: ISO 8601 in UTC. */
export const instant =
  (now: () => number) =>
  (text: string): string => {
    const ago = milliseconds(text)
    if (ago !== undefined) return new Date(now() - ago).toISOString()
    // JavaScript takes the 30th of February for the 2nd of March
    const at = isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN
    if (Number.isNaN(at))
      throw new InvalidArgumentError(
        'expected a time such as 2026-01-31T12:00:00Z, or how long ago: 90s, 15m, 2h, 7d.',
      )
    return new Date(at).toISOString()
  }

function isDay(text: string): boolean {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text)
}

/** What `--since` and `--until` span together. @throws UsageError where that is nothing */
export function requireWindow({
  since,
  until,
}: {
  since?: string | undefined
  until?: string | undefined
}): void {
  if (since !== undefined && until !== undefined && until <= since)
    throw new UsageError(`--until: expected a time after --since, ${since}, got ${until}`)
}

export function duration(text: string): number {
  const value = milliseconds(text)
  if (value === undefined) throw new InvalidArgumentError('expected a duration such as 90s, 15m, 2h or 7d.')
  return value
}

/** JSON given as an argument. */
export function jsonArgument(text: string): { value: unknown } {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    throw new InvalidArgumentError(
      `expected JSON: ${error instanceof Error ? error.message : String(error)}.`,
    )
  }
}

export type Paging = { limit: number; all?: boolean; cursor?: string }

/** `--limit`, `--all` and `--cursor`, the same for every list. */
export const paged = (command: Command): Command =>
  command
    .addOption(new Option('--limit <n>', 'how many at most').argParser(positive).default(20))
    .option('--all', 'every one, however many')
    .option('--cursor <cursor>', 'go on where an earlier list ended (its `next`)')

export type Listing<Item> = { items: Item[]; next?: string | undefined }

/**
 * Reads pages until there are enough, or no more, or `patience` of them were empty (an answer may hold nothing and
 * still go on). `next` is where to go on.
 */
export async function gather<Item>(
  paging: Paging,
  page: (at: { limit: number; cursor: string | undefined }) => Promise<Listing<Item>>,
  patience = Number.POSITIVE_INFINITY,
): Promise<Listing<Item>> {
  const wanted = paging.all ? Number.POSITIVE_INFINITY : paging.limit
  const items: Item[] = []
  let cursor = paging.cursor
  let empty = 0
  do {
    const { items: found, next } = await page({ limit: Math.min(wanted - items.length, 100), cursor })
    items.push(...found)
    if (found.length === 0) empty++
    cursor = next
  } while (cursor !== undefined && items.length < wanted && empty < patience)
  return cursor === undefined ? { items } : { items, next: cursor }
}

/** Said under a list that goes on. */
export const more = ({ next }: { next?: string | undefined }, all = '--all'): string =>
  next === undefined ? '' : `There may be more: --limit <n>, or ${all}`

/** Examples under a command's help; every command has some. */
export const examples = (...lines: readonly string[]): string =>
  ['', 'Examples:', ...lines.map((line) => `  $ loadpath ${line}`)].join('\n')
