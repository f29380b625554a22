import * as z from 'zod'
import type { Memory, RecordKey } from '../ports.ts'

const kept = z.object({ next: z.string().optional() })

type Round = {
  from: string | undefined
  /** Keeps where the next pass goes on; undefined: at the beginning. */
  goOn: (next: string | undefined) => Promise<void>
}

/** Where a pass goes on in a list that is gone round, some of it at each pass. */
export async function roundOf(project: string, name: string, memory: Memory): Promise<Round> {
  const key: RecordKey = { project, kind: 'cursor', name }
  const record = await memory.get(key)
  const from = record && kept.parse(record.value).next
  return {
    from,
    goOn: async (next) => {
      if (next === from) return
      const value = next === undefined ? {} : { next }
      await memory.commit({
        writes: [{ ...key, version: (record?.version ?? 0) + 1, value }],
        outbox: [],
      })
    },
  }
}

/** What came of one page; `found`: enough for this pass. */
type Page = { next: string | undefined; found: boolean }

/**
 * Goes round a list, so many pages at each pass, until enough is found. The next pass goes on where this one stopped, but
 * begins anew when it found enough or came to the end.
 */
export async function goRound(
  round: { project: string; name: string; pages: number; isOver?: () => boolean },
  memory: Memory,
  look: (cursor: string | undefined) => Promise<Page>,
): Promise<void> {
  const { from, goOn } = await roundOf(round.project, round.name, memory)
  let at = from
  for (let page = 0; page < round.pages && !round.isOver?.(); page++) {
    const { next, found } = await look(at)
    at = found ? undefined : next
    if (at === undefined) break
  }
  await goOn(at)
}
