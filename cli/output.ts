/** Colours for a terminal, or none. */
export type Paint = Record<'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', (text: string) => string>

const wrapped = (on: boolean, code: number, end: number) => (text: string) =>
  on && text !== '' ? `\u001b[${code}m${text}\u001b[${end}m` : text

export const paint = (on: boolean): Paint => ({
  bold: wrapped(on, 1, 22),
  dim: wrapped(on, 2, 22),
  red: wrapped(on, 31, 39),
  green: wrapped(on, 32, 39),
  yellow: wrapped(on, 33, 39),
  cyan: wrapped(on, 36, 39),
})

/** The colour of a state says whether somebody has to look. */
export function stateColour(state: string): 'red' | 'green' | 'yellow' | 'cyan' | 'dim' {
  if (/^(dead|failed|fail|denied|quarantined|expired|missing|revoked)$/.test(state)) return 'red'
  if (/^(done|succeeded|recorded|known|approved|ok|passing)$/.test(state)) return 'green'
  if (/^(retrying|parked|waiting|pending|queued|degraded|unknown)$/.test(state)) return 'yellow'
  if (/^(running)$/.test(state)) return 'cyan'
  return 'dim'
}

export const state = (p: Paint, text: string): string => p[stateColour(text)](text)

/**
 * Text from outside could move the cursor or turn letters around: whatever is not plain becomes a visible mark.
 * Line ends and tabs stay.
 */
const unsafe = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu

/** The same value with every text in it made safe for a terminal. */
export function safe<T>(value: T): T
export function safe(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(unsafe, '\ufffd')
  if (Array.isArray(value)) return value.map((item) => safe(item))
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [safe(name), safe(member)]))
  return value
}

const two = (n: number) => String(n).padStart(2, '0')

/** `2026-01-01 12:00:03`, in the reader's own time zone; text that is no time comes back as it is. */
export function localTime(iso: string | undefined): string {
  if (iso === undefined || iso === '') return '-'
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-')
  return `${day} ${clockTime(at)}`
}

const clockTime = (at: Date) => [two(at.getHours()), two(at.getMinutes()), two(at.getSeconds())].join(':')

/** `12:00:03.045`, local */
export function clockMillis(iso: string): string {
  const at = new Date(iso)
  return Number.isNaN(at.getTime())
    ? iso
    : `${clockTime(at)}.${String(at.getMilliseconds()).padStart(3, '0')}`
}

/** A span of milliseconds: `0.045 s`, `3.2 s`, `4 min 10 s`, `2 h 3 min`, `3 d 4 h`. */
export function span(milliseconds: number): string {
  const seconds = Math.abs(milliseconds) / 1000
  if (seconds < 1) return `${seconds.toFixed(3)} s`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const whole = Math.floor(seconds)
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`
}

export const count = (n: number, word: string, many = `${word}s`): string => `${n} ${n === 1 ? word : many}`

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences that paint() writes
const sequences = /\u001b\[\d+m/g
const width = (text: string) => text.replace(sequences, '').length

/** Columns under their headings; the last one is not padded. Cells are one line each. */
export function table(p: Paint, headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [
    headings.map((heading) => p.dim(heading)),
    ...rows.map((row) => row.map((cell) => (cell === '' ? '-' : cell.replace(/\s*\n\s*/g, ' ')))),
  ]
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => width(row[column] ?? ''))))
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - width(cell)),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** `name  value` lines; members without a value are left out. */
export function fields(p: Paint, members: Readonly<Record<string, string | undefined>>): string {
  const shown = Object.entries(members).flatMap(([name, value]) => (value ? [{ name, value }] : []))
  const column = Math.max(0, ...shown.map(({ name }) => name.length)) + 2
  return shown
    .map(({ name, value }) => {
      const [first, ...rest] = value.split('\n')
      return [p.dim(name.padEnd(column)) + first, ...rest.map((line) => ' '.repeat(column) + line)].join('\n')
    })
    .join('\n')
}

export const indent = (text: string, by = '  '): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? line : by + line))
    .join('\n')
