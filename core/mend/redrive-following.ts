import * as z from 'zod'
import type { DeliveryKey, History, OpenMark } from '../ports.ts'
import { likeness } from '../reasons.ts'

/** What a redrive has sent and has not heard of yet. `was`: when its mark had last changed before that. */
export const flying = z.array(
  z.object({
    ...{ source: z.string(), id: z.string(), subscriber: z.string(), replay: z.string() },
    was: z.string(),
  }),
)
export type Flying = z.infer<typeof flying>

/** How often what was sent died again, by what the reasons have in common; with one of them. */
export const likes = z.record(z.string(), z.object({ count: z.number(), reason: z.string() }))
export type Likes = z.infer<typeof likes>

/** It stands in the job's record; where more are on their way, the newest tell enough. */
const mostFollowed = 200
const mostLikes = 50

export const follow = (before: Flying, sent: readonly { mark: OpenMark }[]): Flying =>
  [
    ...before,
    ...sent.map(({ mark: { source, id, subscriber, replay, changed } }) => ({
      ...{ source, id, subscriber, replay },
      was: changed,
    })),
  ].slice(-mostFollowed)

/** What became of what was sent: what is still on its way, and the others by how they ended. */
export async function settledBy(
  project: string,
  sent: Flying,
  history: Pick<History, 'getDeliveries'>,
): Promise<{ left: Flying; counts: Record<string, number>; likes: (before: Likes) => Likes }> {
  const deliveries = await history.getDeliveries(sent.map((key): DeliveryKey => ({ ...key, project })))
  const left: Flying = []
  const reasons: Died[] = []
  const counts = { done: 0, died: 0, parked: 0 }
  for (const [index, one] of sent.entries()) {
    const { state, changed, reason = '' } = deliveries[index] ?? {}
    // of an ordered route: its turn has not come yet
    const waits = changed === one.was
    if (state === 'retrying' || waits) left.push(one)
    else if (state === 'done') counts.done++
    else if (state === 'parked') counts.parked++
    else if (state === 'dead') {
      counts.died++
      reasons.push({ of: one, reason })
    }
  }
  return { left, counts, likes: (before) => reasons.reduce(withOne, before) }
}

type Died = { of: { source: string; id: string }; reason: string }

function withOne(before: Likes, { of, reason }: Died): Likes {
  const like = likeness(reason, of)
  const known = before[like]
  if (known === undefined && Object.keys(before).length >= mostLikes) return before
  return { ...before, [like]: { count: (known?.count ?? 0) + 1, reason: known?.reason ?? reason } }
}

/** Why it is of no use to go on; undefined: nothing says so. */
export function repeated(likes: Likes, most: number): string | undefined {
  const worst = Object.values(likes).find(({ count }) => count >= most)
  return worst && `${worst.count} of those that were sent died again of the same: ${worst.reason}`
}
