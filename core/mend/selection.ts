import * as z from 'zod'
import { selectionShape } from '../../events/delivery.ts'
import { atMost } from '../at-most.ts'
import { dataOf } from '../event/body.ts'
import { canonicalJson } from '../identity.ts'
import type { Bodies, Delivery, History, OpenMark, OpenState, StoredEvent } from '../ports.ts'
import { readDeliveries, readEvents } from '../read-events.ts'
import { reasonMatcher } from '../reasons.ts'

/** Which open deliveries are meant; what is left out matches all. */
export const selection = z.object(selectionShape)
export type Selection = z.infer<typeof selection>

/** A delivery that is meant, as it stood when it was looked at. `stored`: where it was needed to tell. */
export type Chosen = { mark: OpenMark; delivery: Delivery; stored?: StoredEvent | undefined }

/** `unreadable`: newer code wrote them or their events, or what is asked of has lost its body: nobody can tell whether they are meant. */
export type Choice = { chosen: Chosen[]; unreadable: readonly OpenMark[] }

type Deps = { history: Pick<History, 'getDeliveries' | 'getEvents'>; bodies: Pick<Bodies, 'get'> }

const bodiesAtOnce = 10

/**
 * What chooses among marks: reads of each as little as is needed to tell. One that is no longer as its mark says is left
 * out: whoever changed it has dealt with it.
 */
export function chooser(
  { type, reason, since, until, where = [] }: Selection,
  { history, bodies }: Deps,
): (marks: readonly OpenMark[]) => Promise<Choice> {
  const fits = reason === undefined ? () => true : reasonMatcher(reason)
  const inTime = ({ changed }: OpenMark) =>
    (since === undefined || changed >= since) && (until === undefined || changed <= until)
  const mayBeOf = (mark: OpenMark) => type === undefined || mark.type === undefined || mark.type === type
  return async (marks) => {
    const near = marks.filter((mark) => inTime(mark) && mayBeOf(mark))
    if (near.length === 0) return { chosen: [], unreadable: [] }
    const deliveries = await readDeliveries(near, history)
    const unread = near.filter((_, index) => deliveries[index] === 'unreadable')
    const chosen = near.flatMap((mark, index): Chosen[] => {
      const delivery = deliveries[index]
      if (delivery === 'unreadable') return []
      const stands = delivery?.state === mark.state && delivery.changed === mark.changed
      return stands && fits(delivery.reason ?? '') ? [{ mark, delivery }] : []
    })
    const unsure = type !== undefined && chosen.some(({ mark }) => mark.type === undefined)
    if (chosen.length === 0 || (where.length === 0 && !unsure)) return { chosen, unreadable: unread }
    const events = await readEvents(
      chosen.map(({ mark }) => mark),
      history,
    )
    const inTurn = atMost(bodiesAtOnce)
    const verdicts = await Promise.all(
      chosen.map(async (one, index): Promise<Choice> => {
        const stored = events[index]
        if (stored === undefined) return none
        if (stored === 'unreadable') return { chosen: [], unreadable: [one.mark] }
        if (type !== undefined && stored.event.type !== type) return none
        const data = where.length === 0 ? {} : await inTurn(() => dataOf(stored.event, bodies))
        if (data === undefined && stored.event.dataref !== undefined)
          return { chosen: [], unreadable: [one.mark] }
        const isMeant = where.every(({ path, value }) => isValue(memberAt(data, path), value))
        return isMeant ? { chosen: [{ ...one, stored }], unreadable: [] } : none
      }),
    )
    return {
      chosen: verdicts.flatMap((verdict) => verdict.chosen),
      unreadable: [...unread, ...verdicts.flatMap((verdict) => verdict.unreadable)],
    }
  }
}

const none: Choice = { chosen: [], unreadable: [] }

/** `repository.name`, `commits.0.id`; `data.` may stand before it. */
function memberAt(data: unknown, path: string): unknown {
  let current = data
  for (const name of path.replace(/^data\./, '').split('.')) {
    if (current === null || typeof current !== 'object' || !Object.hasOwn(current, name)) return undefined
    current = Reflect.get(current, name)
  }
  return current
}

/** A text as it is, everything else as JSON. */
const isValue = (found: unknown, wanted: string): boolean =>
  found !== undefined && (found === wanted || (typeof found !== 'string' && canonicalJson(found) === wanted))

// ---- walking through what is open ----------------------------------------------------------------

/** Where a walk through the open deliveries of several subscribers goes on. */
export const place = z.object({ subscriber: z.string(), cursor: z.string().optional() })
export type Place = z.infer<typeof place>

/**
 * The next marks, of one subscriber, oldest change first; subscribers in the order of their names. `next` undefined: that
 * was the end. What changed after `before` belongs to whoever changed it.
 */
export async function nextMarks(
  wanted: {
    project: string
    subscribers: readonly string[]
    state: OpenState
    since?: string | undefined
    before: string
  },
  from: Place | undefined,
  limit: number,
  history: Pick<History, 'openMarks'>,
): Promise<{ marks: readonly OpenMark[]; next: Place | undefined }> {
  const { project, state, since, before } = wanted
  const names = wanted.subscribers.toSorted()
  const subscriber = names.find((name) => from === undefined || name >= from.subscriber)
  if (subscriber === undefined) return { marks: [], next: undefined }
  const cursor = from?.subscriber === subscriber ? from.cursor : undefined
  const { items, next } = await history.openMarks({ project, subscriber, state, since, cursor, limit })
  const marks = items.filter(({ changed }) => changed <= before)
  const following = names.find((name) => name > subscriber)
  if (next !== undefined && marks.length === items.length)
    return { marks, next: { subscriber, cursor: next } }
  return { marks, next: following === undefined ? undefined : { subscriber: following } }
}
