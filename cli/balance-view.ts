import { type Line, type Sheet, standings } from '../core/books/balance-sheet.ts'
import type { Balance, MendedDelivery, SweepState } from './answers-mending.ts'
import { count, localTime, type Paint, table } from './output.ts'

/** balanced: nothing is missing. unproven: something could not be read. contradictory: the books do not add up. */
export type Verdict = 'balanced' | 'missing' | 'unproven' | 'contradictory'

export type Books = {
  window: Balance['window']
  verdict: Verdict
  sheet: Sheet
  imbalances: readonly string[]
  sweep: SweepState
  replay?: Balance['replay']
  mended?: readonly MendedDelivery[]
}

/** Deliveries of a replay that has ended, and that nobody has seen anything of. */
export const unseenOf = ({ sheet, replay }: Pick<Books, 'sheet' | 'replay'>): number =>
  replay?.state === 'done' ? Math.max(0, (replay.counts.matched ?? 0) - sheet.total.expected) : 0

export function verdictOf(books: Omit<Books, 'verdict'>): Verdict {
  if (books.imbalances.length > 0) return 'contradictory'
  if (books.sheet.total.missing + unseenOf(books) > 0) return 'missing'
  return books.sheet.events.unreadable > 0 ? 'unproven' : 'balanced'
}

const titles: Readonly<Record<(typeof standings)[number], string>> = {
  done: 'DONE',
  dead: 'DEAD',
  parked: 'PARKED',
  retrying: 'RETRYING',
  dropped: 'DROPPED',
  inFlight: 'IN FLIGHT',
  missing: 'MISSING',
}

export function booksText(books: Books, p: Paint): string {
  const { window, sheet, replay } = books
  const { total, subscribers } = sheet
  const rows = [...Object.entries(subscribers), ...(total.expected > 0 ? [['total', total] as const] : [])]
  const parts = [
    `${p.bold(replay ? `replay ${replay.id} to ${replay.subscriber} (${replay.state})` : 'books')}  ${localTime(window.since)} to ${localTime(window.until)}`,
    eventsText(sheet),
    rows.length === 0
      ? ''
      : table(
          p,
          ['SUBSCRIBER', 'EXPECTED', ...standings.map((standing) => titles[standing])],
          rows.map(([name, line]) => [name, String(line.expected), ...cells(line, p)]),
        ),
    lostText(sheet, p),
    books.mended === undefined ? '' : mendedText(books.mended, p),
    replay ? '' : sweepText(books.sweep, p),
    replay ? '' : outboxText(books.sweep, p),
    verdictText(books, p),
    books.mended === undefined ? '' : leftText(books, books.mended, p),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

const cells = (line: Line, p: Paint): string[] =>
  standings.map((standing) => {
    const number = line[standing]
    if (number === 0) return '-'
    if (standing === 'missing' || standing === 'dead') return p.red(String(number))
    return standing === 'done' ? p.green(String(number)) : String(number)
  })

function eventsText({ events, quarantined, replayed, redriven, total }: Sheet): string {
  const waiting = Object.entries(quarantined)
  const inQuarantine = waiting.reduce((sum, [, number]) => sum + number, 0)
  const told: [number, string][] = [
    [events.unknown, 'of unknown types'],
    [events.duplicates, 'duplicates'],
    [events.expectingNobody, 'for nobody'],
    [events.again, 'sent or tried again, and known already'],
    [events.skipped, 'listed and not there (never written, or expired)'],
    [events.unreadable, 'not readable'],
    [inQuarantine, `in quarantine (${waiting.map(([reason, number]) => `${number} ${reason}`).join(', ')})`],
    [replayed, 'deliveries of replays'],
    [redriven, 'sent anew after they had been dead or parked, or their queue had let go of them'],
    [total.stalled, 'retrying with nothing in the queue: the sweep sends them again'],
    [total.unexpected, 'marks that nobody expected'],
  ]
  const lines = told.flatMap(([number, what]) => (number === 0 ? [] : [`  ${number} ${what}`]))
  return [count(events.recorded, 'event'), ...lines].join('\n')
}

const lostText = ({ lost, lostMore }: Sheet, p: Paint): string =>
  lost.length === 0
    ? ''
    : [
        table(
          p,
          ['', 'SUBSCRIBER', 'TYPE', 'EVENT', 'RECEIVED', 'SOURCE'],
          lost.map(({ standing, subscriber, type, id, received, source }) => [
            standing === 'missing' ? p.red(standing) : p.yellow(standing),
            subscriber,
            type,
            id,
            localTime(received),
            source,
          ]),
        ),
        ...(lostMore > 0 ? [`and ${lostMore} more, which are not named`] : []),
      ].join('\n')

/** What was named as missing is so no more. */
export const isMended = ({ outcome }: MendedDelivery): boolean =>
  ['sent', 'dead', 'already', 'in flight'].includes(outcome)

const mendedText = (mended: readonly MendedDelivery[], p: Paint): string =>
  table(
    p,
    ['SENT ON', 'SUBSCRIBER', 'EVENT', ''],
    mended.map(({ outcome, detail = '', subscriber, id }) => [
      outcome === 'sent' ? p.green(outcome) : outcome === 'failed' ? p.red(outcome) : outcome,
      subscriber,
      id,
      detail,
    ]),
  )

const shownNames = 5

/** The outbox is before the books: what waits there is accepted, and in no history yet. */
const outboxText = ({ unrelayed }: SweepState, p: Paint): string =>
  unrelayed === 0
    ? ''
    : p.yellow(
        `Events of commands wait in the outbox for more than two minutes, for ${count(unrelayed, 'key')}${unrelayed === 100 ? ' or more' : ''}: the sweep sends them; whether the relay runs says: loadpath check`,
      )

function sweepText({ read, lagMinutes, behind, passes, since, lastPass, did }: SweepState, p: Paint): string {
  if (read === undefined) return 'The sweep has not run yet.'
  const late = lagMinutes ? `, ${lagMinutes} min behind` : ''
  const waits = Object.entries(behind).map(([name, from]) => `${name} (from ${localTime(from)} on)`)
  return [
    `The sweep has looked at all up to ${localTime(read)}${late}: ${count(passes, 'pass', 'passes')} since ${localTime(since)}, the last ${localTime(lastPass)}.`,
    ...(waits.length === 0 ? [] : [`It waits until their queue is empty: ${waits.join(', ')}`]),
    ...(did === undefined
      ? ['It had nothing to mend so far.']
      : [
          `Since ${localTime(did.since)} it has sent ${count(did.resent, 'delivery', 'deliveries')} again, ${count(did.relayed, 'item')} of the outbox, got ${did.restarted} going that stood still, and told of ${count(did.ended, 'run')} that had ended and ${count(did.expired, 'approval')} that had expired; the last ${localTime(did.at)}.`,
          ...did.last
            .slice(0, shownNames)
            .map(({ at, subscriber, id }) => p.dim(`  ${localTime(at)}  ${subscriber}  ${id}`)),
          ...(did.last.length > shownNames
            ? [p.dim(`  and more: --json has the last ${did.last.length}`)]
            : []),
        ]),
  ].join('\n')
}

function leftText({ sheet }: Books, mended: readonly MendedDelivery[], p: Paint): string {
  const named = mended.length + sheet.lostMore
  const done = mended.filter(isMended).length
  return done === named
    ? p.green(`mended: all ${named} that were lost are on their way`)
    : p.red(`mended: ${done} of ${named} that were lost are on their way`)
}

function verdictText(books: Books, p: Paint): string {
  const { sheet, imbalances, verdict } = books
  switch (verdict) {
    case 'balanced':
      return p.green(
        `balanced: ${count(sheet.total.expected, 'delivery', 'deliveries')} expected, none missing`,
      )
    case 'missing':
      return p.red(`${sheet.total.missing + unseenOf(books)} missing`)
    case 'unproven':
      return p.yellow(`not proven: ${sheet.events.unreadable} could not be read by this version`)
    case 'contradictory':
      return p.red(['the books contradict themselves, which is a defect:', ...imbalances].join('\n  '))
    default:
      return verdict satisfies never
  }
}
