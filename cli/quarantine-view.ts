import type { MendedQuarantine, QuarantineGroup } from './answers-mending.ts'
import { count, localTime, type Paint, state, table } from './output.ts'
import type { Redriven } from './redrive-quarantine.ts'

type Faults = readonly { path: string; expected: string; got: string }[]
type Settlement = NonNullable<MendedQuarantine['settled']>

export const faultLines = (faults: Faults): string[] =>
  faults.map(({ path, expected, got }) => `${path || '(whole)'}: expected ${expected}, got ${got}`)

const shortened = ([first = '', ...rest]: string[]): string =>
  rest.length === 0 ? first : `${first}; and ${rest.length} more`

const short = (digest: string): string => digest.slice(0, 12)

export const nothing = 'Nothing is in quarantine.'

export const groupsText = ({ items }: { items: readonly QuarantineGroup[] }, p: Paint): string =>
  items.length === 0
    ? nothing
    : table(
        p,
        ['COUNT', 'REASON', 'TYPE', 'WHERE', 'LAST', 'SUCH AS', 'EXPECTED'],
        items.map(({ count: number, reason, type, path, last, digests, expected }) => [
          String(number),
          p.red(reason),
          p.bold(type),
          path,
          localTime(last),
          short(digests[0] ?? ''),
          expected,
        ]),
      )

type Entry = { digest: string; reason: string; received: string; type?: string | undefined }

export const entriesText = (
  { items }: { items: readonly (Entry & { faults: Faults })[] },
  p: Paint,
): string =>
  items.length === 0
    ? nothing
    : table(
        p,
        ['RECEIVED', 'DIGEST', 'REASON', 'TYPE', 'FAULTS'],
        items.map((entry) => [
          localTime(entry.received),
          short(entry.digest),
          p.red(entry.reason),
          entry.type ?? '',
          shortened(faultLines(entry.faults)),
        ]),
      )

export const settledText = ({ state: settled, by, at, note }: Settlement): string =>
  `${settled} by ${by} at ${localTime(at)}: ${note}`

export const settledListText = (
  { items }: { items: readonly (Entry & { settled: Settlement })[] },
  p: Paint,
): string =>
  items.length === 0
    ? 'Nothing was settled in the last 30 days.'
    : table(
        p,
        ['SETTLED', 'DIGEST', 'REASON', 'TYPE', '', 'BY', 'NOTE'],
        items.map(({ digest, reason, type = '', settled }) => [
          localTime(settled.at),
          short(digest),
          reason,
          type,
          state(p, settled.state),
          settled.by,
          settled.note,
        ]),
      )

/** One that went through the gate once more, or would have (`dry`). */
export function mendedText(mended: MendedQuarantine, p: Paint, dry: boolean): string {
  const { digest, outcome, event, settled, reason = '', faults = [] } = mended
  const named = event === undefined ? '' : `${event.type} ${event.id} of ${event.source}`
  const head = p.bold(short(digest))
  switch (outcome) {
    case 'recorded':
      return `${head} ${dry ? 'would be' : 'is'} ${p.green('recorded')}: ${named}`
    case 'known':
      return `${head} ${dry ? 'would be' : 'is'} ${p.green('known')} already: ${named}`
    case 'already':
      return `${head} was settled before: ${settled === undefined ? '' : settledText(settled)}`
    case 'refused':
      return [`${head} is still ${p.red('refused')} (${reason}), and stays:`, ...faultLines(faults)].join(
        '\n  ',
      )
    case 'failed':
      return `${head} could not be tried, and stays: ${p.red(reason)}`
    default:
      return `${head} ${outcome}${settled === undefined ? '' : `: ${settled.note}`}`
  }
}

export function redrivenText(
  { counts, refusals, stopped, interrupted }: Redriven,
  p: Paint,
  dry: boolean,
): string {
  const told = Object.entries(counts).map(([outcome, number]) => `${number} ${state(p, outcome)}`)
  return [
    told.length === 0
      ? 'Nothing that is in quarantine is meant.'
      : `${dry ? 'It would be: ' : ''}${told.join(', ')}`,
    ...refusals.map(
      ({ refusal, count: number, such }) => `  ${number} x ${p.red(refusal)}, such as ${short(such)}`,
    ),
    ...(stopped === undefined
      ? []
      : [
          p.red(
            `Stopped: ${count(stopped.count, 'entry', 'entries')} refused alike. What is left was not tried.`,
          ),
        ]),
    ...(interrupted ? [p.red('Interrupted. What is left was not tried.')] : []),
  ].join('\n')
}
