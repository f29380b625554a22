import { type BalanceDeps, balanceSlice } from '../../core/books/balance.ts'
import { mendMissing } from '../../core/books/balance-mend.ts'
import { added, emptySheet, imbalances, type Sheet } from '../../core/books/balance-sheet.ts'
import { patience, queueRetention } from '../../core/gate/missing.ts'
import { ago } from '../../core/time.ts'
import { noon } from '../world.ts'
import { eventsOf, type Held, marksOf, type Wrong } from './held.ts'
import { deliveryText, type Observed } from './observed.ts'
import type { Command } from './operators.ts'

/** What the books say, and what people send by it. */

// clocks are wrong: what was written a little before it all began belongs to it
const since = new Date(Date.parse(noon) - 3_600_000).toISOString()

async function sheetOf(project: string, until: string, deps: BalanceDeps): Promise<Sheet> {
  let sheet = emptySheet()
  let from: Parameters<typeof balanceSlice>[1]
  do {
    const slice = await balanceSlice({ project, since, until, patience }, from, deps, 10)
    sheet = added(sheet, slice.sheet)
    from = slice.next
  } while (from !== undefined)
  return sheet
}

/** loadpath balance --mend */
export const mendBooks = (project: string, observed: Observed): Command => ({
  name: `mend the books of ${project}`,
  of: 'books',
  async run(ports) {
    const sheet = await sheetOf(project, ports.clock(), ports)
    for (const message of imbalances(sheet)) observed.violated({ invariant: 'the books add up', message })
    await mendMissing(project, sheet.lost, 'user:op', ports)
  },
})

const depsOf = ({ stage }: Held): BalanceDeps => ({
  history: stage.stored.real.history,
  queues: stage.queues,
  clock: () => new Date(stage.now()).toISOString(),
  routes: stage.everybody,
})

const projectsOf = (held: Held): string[] => [...new Set(eventsOf(held).map(({ event }) => event.project))]

/** Sums by the marks that there are, and nothing else. */
export async function booksTellWhatIsSo(held: Held): Promise<Wrong[]> {
  const deps = depsOf(held)
  const wrong = await Promise.all(
    projectsOf(held).map(async (project): Promise<Wrong[]> => {
      const sheet = await sheetOf(project, new Date(held.stage.now() + 60_000).toISOString(), deps)
      const events = eventsOf(held).filter(({ event }) => event.project === project)
      const marks = marksOf(held).filter((mark) => mark.project === project && mark.replay === '')
      const counted = (state: string): number => marks.filter((mark) => mark.state === state).length
      const wanted = {
        ...{ done: counted('done'), dead: counted('dead'), parked: counted('parked') },
        ...{ dropped: counted('dropped'), retrying: counted('retrying'), missing: 0, unexpected: 0 },
        expected: events.reduce((sum, { expects }) => sum + expects.length, 0),
      }
      const said = Object.entries(wanted).flatMap(([what, count]) => {
        const found = sheet.total[what as keyof typeof wanted]
        return found === count ? [] : [`${found} ${what}, and there are ${count}`]
      })
      if (sheet.events.recorded !== events.length)
        said.push(`${sheet.events.recorded} events, and there are ${events.length}`)
      return [...said, ...imbalances(sheet)].map((message) => ({
        message: `the books of ${project} say: ${message}`,
      }))
    }),
  )
  return wrong.flat()
}

/** What a queue has let go of, and nobody has marked, is named by the books from then on. */
export async function booksNameWhatIsLost(held: Held): Promise<void> {
  const { stage, observed } = held
  const now = new Date(stage.now()).toISOString()
  for (const project of projectsOf(held)) {
    const { lost } = await sheetOf(project, now, depsOf(held))
    const named = new Set(
      lost.map(({ source, id, subscriber }) => deliveryText({ project, source, id, subscriber, replay: '' })),
    )
    for (const [text, { subscriber, event }] of observed.expired) {
      const mark = observed.deliveries.get(text)
      const moved = mark !== undefined && mark.changed > event.received ? mark.changed : event.received
      const isOpen = mark === undefined || mark.state === 'retrying'
      const isOurs = event.project === project && moved < ago(now, queueRetention)
      if (!isOpen || !isOurs) continue
      observed.sometimes('the books name what a queue has let go of')
      if (!named.has(text))
        observed.violated({
          invariant: 'the books name what is lost',
          message: `${text} is in the queue of ${subscriber} no longer, and the books do not name it`,
          id: event.id,
        })
    }
  }
}
