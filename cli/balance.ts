import { added, emptySheet, imbalances } from '../core/books/balance-sheet.ts'
import type { Balance, MendedDelivery } from './answers-mending.ts'
import type { Api } from './api.ts'
import { type Books, booksText, isMended, verdictOf } from './balance-view.ts'
import type { Cli } from './context.ts'
import { steadily } from './steadily.ts'

export type BalanceOptions = {
  since?: string
  until?: string
  /** milliseconds */
  patience?: number
  replay?: string
  mend?: boolean
}

/** Reads the books of a window to its end and says what they come to; failed when they do not balance. */
export async function balanceBooks(cli: Cli, options: BalanceOptions): Promise<void> {
  const api = await cli.api()
  const books = await read(cli, api, options)
  const { lost } = books.sheet
  const mended = options.mend && lost.length > 0 ? await mend(api, lost) : undefined
  const verdict = verdictOf(books)
  if (!isRight(verdict, books, mended)) cli.failed()
  const told: Books = { ...books, verdict, ...(mended && { mended }) }
  cli.show(told, booksText)
  if (verdict === 'missing' && !options.mend)
    cli.note('The sweep sends them on by itself; now: loadpath balance … --mend')
}

const otherShards = [1, 2, 3]

/** The timeline has four shards, which are read side by side; the first call says what the window is. */
async function read(cli: Cli, api: Api, options: BalanceOptions): Promise<Omit<Books, 'verdict'>> {
  const { since, until, replay, patience } = options
  const query = {
    ...(since && { since }),
    ...(until && { until }),
    ...(replay && { replay }),
    ...(patience !== undefined && { patience: Math.round(patience / 1000) }),
  }
  let sheet = emptySheet()
  let told: number | undefined
  const wrong: string[] = []
  const count = (slice: Balance): Balance => {
    sheet = added(sheet, slice.sheet)
    wrong.push(...slice.imbalances)
    const { recorded } = sheet.events
    if (slice.next !== undefined && recorded !== told) cli.note(`${recorded} events so far`)
    told = recorded
    return slice
  }
  const ask = async (shard: number, place: { since?: string; until?: string; cursor?: string | undefined }) =>
    count(await steadily(cli, () => api.balance({ ...query, ...place, shard })))
  const toTheEnd = async (shard: number, from: Balance): Promise<Balance> => {
    let slice = from
    while (slice.next !== undefined) slice = await ask(shard, { cursor: slice.next })
    return slice
  }
  const first = await ask(0, {})
  const [last] = await Promise.all([
    toTheEnd(0, first),
    ...otherShards.map(async (shard) => toTheEnd(shard, await ask(shard, first.window))),
  ])
  const { window, sweep } = last
  const contradictions = [...new Set([...wrong, ...imbalances(sheet)])]
  return { window, sheet, imbalances: contradictions, sweep, ...(last.replay && { replay: last.replay }) }
}

const perCall = 100

async function mend(api: Api, lost: Books['sheet']['lost']): Promise<MendedDelivery[]> {
  const mended: MendedDelivery[] = []
  for (let from = 0; from < lost.length; from += perCall) {
    const names = lost.slice(from, from + perCall)
    const { items } = await api.mendBalance(
      names.map(({ source, id, subscriber }) => ({ source, id, subscriber })),
    )
    mended.push(...items)
  }
  return mended
}

/** What was missing and is on its way now is no loss any more. */
function isRight(
  verdict: Books['verdict'],
  { sheet, replay }: Pick<Books, 'sheet' | 'replay'>,
  mended: readonly MendedDelivery[] | undefined,
): boolean {
  if (verdict !== 'missing' || mended === undefined) return verdict === 'balanced'
  return replay === undefined && sheet.lostMore === 0 && mended.every(isMended)
}
