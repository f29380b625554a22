import type { Identity } from '../../events/envelope.ts'
import { sumOf } from '../counts.ts'

/** The books of a window, or of a slice of one: slices add up. Pure; the command line adds with it too. */

/**
 * Where an expected delivery is. inFlight: no mark, and too young to ask or perhaps in its queue. missing: no mark, and
 * nowhere else.
 */
export const standings = ['done', 'dead', 'parked', 'retrying', 'dropped', 'inFlight', 'missing'] as const
export type Standing = (typeof standings)[number]

export type Line = Record<Standing, number> & {
  expected: number
  /** of `retrying`: nothing of it is in the queue, so nobody will try but the sweep */
  stalled: number
  /** marks that nobody expected: no part of the sum */
  unexpected: number
}

/** A delivery to be sent again, by name. `standing`: missing, or retrying and stalled. */
export type Lost = Omit<Identity, 'project'> & {
  subscriber: string
  type: string
  received: string
  standing: 'missing' | 'stalled'
}

export type Sheet = {
  events: {
    /** listed, there, and of the page that lists them */
    recorded: number
    /** of types that nobody has declared */
    unknown: number
    /** signed bodies that came a second time */
    duplicates: number
    expectingNobody: number
    /** listed more than once: sent or tried again, and known already, whatever its content was */
    again: number
    /** listed without an event: it was never written, or has expired */
    skipped: number
    /** events and pages that cannot be parsed: of them nothing is known here */
    unreadable: number
  }
  subscribers: Record<string, Line>
  total: Line
  /** the first so many by name; `lostMore` are not named */
  lost: Lost[]
  lostMore: number
  /** deliveries of replays; those that were sent anew after they had been dead or parked, or their queue had let go of them */
  replayed: number
  redriven: number
  /** what waits, by reason */
  quarantined: Record<string, number>
}

export const mostNamed = 1000

export const emptyLine = (): Line => ({
  expected: 0,
  done: 0,
  dead: 0,
  parked: 0,
  retrying: 0,
  dropped: 0,
  inFlight: 0,
  missing: 0,
  stalled: 0,
  unexpected: 0,
})

export const emptySheet = (): Sheet => ({
  events: { recorded: 0, unknown: 0, duplicates: 0, expectingNobody: 0, again: 0, skipped: 0, unreadable: 0 },
  subscribers: {},
  total: emptyLine(),
  lost: [],
  lostMore: 0,
  replayed: 0,
  redriven: 0,
  quarantined: {},
})

export function added(a: Sheet, b: Sheet): Sheet {
  const names = [...new Set([...Object.keys(a.subscribers), ...Object.keys(b.subscribers)])].sort()
  const lost = [...a.lost, ...b.lost]
  return {
    events: sumOf(a.events, b.events),
    subscribers: Object.fromEntries(
      names.map((name) => [
        name,
        sumOf(a.subscribers[name] ?? emptyLine(), b.subscribers[name] ?? emptyLine()),
      ]),
    ),
    total: sumOf(a.total, b.total),
    lost: lost.slice(0, mostNamed),
    lostMore: a.lostMore + b.lostMore + Math.max(0, lost.length - mostNamed),
    replayed: a.replayed + b.replayed,
    redriven: a.redriven + b.redriven,
    quarantined: sumOf(a.quarantined, b.quarantined),
  }
}

/**
 * Where the books contradict themselves: what was expected is not what became of it, or the lines do not add up to the
 * total. That is a defect of the books (or of what keeps them), never of what is counted, and has to be said loudly.
 */
export function imbalances({ subscribers, total }: Pick<Sheet, 'subscribers' | 'total'>): string[] {
  const wrong = Object.entries({ ...subscribers, total }).flatMap(([name, line]) => {
    const sum = standings.reduce((all, standing) => all + line[standing], 0)
    return sum === line.expected ? [] : [`${name}: expected ${line.expected}, and ${sum} became of it`]
  })
  const lines = Object.values(subscribers).reduce((all, line) => sumOf(all, line), emptyLine())
  const apart = [...standings, 'expected' as const].filter((name) => lines[name] !== total[name])
  return [...wrong, ...apart.map((name) => `${name}: ${lines[name]} by subscriber, ${total[name]} in all`)]
}
