import type { Identity } from '../../events/envelope.ts'
import { atMost } from '../at-most.ts'
import { reasonOf } from '../errors.ts'
import { depthsOnce, lastMoved, mayBeQueued } from '../gate/missing.ts'
import { messageOf, type SendDeps, sendMissing, sendTo } from '../gate/send.ts'

/** An expected delivery that the books named. */
export type Named = Omit<Identity, 'project'> & { subscriber: string }

/**
 * What became of it. sent: on its way again. dead: nobody of that name is in the routes any more, so it has a dead mark.
 * already: it has come to something meanwhile. in flight: its queue is not empty, so it may lie there.
 */
export type Mended = Named & {
  outcome: 'sent' | 'dead' | 'already' | 'in flight' | 'not expected' | 'no such event' | 'failed'
  detail?: string | undefined
}

const side = 25

/** Sends on what the books named as missing, one answer each, in order. What cannot be sent is said and can be named again. */
export async function mendMissing(
  project: string,
  names: readonly Named[],
  deps: SendDeps,
): Promise<Mended[]> {
  // what is sent here must not count as a backlog for its neighbours
  const depthOf = depthsOnce(deps.queues)
  const limited = atMost(side)
  return Promise.all(
    names.map((name) =>
      limited(async () => {
        try {
          return { ...name, ...(await mendOne(project, name, { ...deps, depthOf })) }
        } catch (error) {
          return { ...name, outcome: 'failed' as const, detail: reasonOf(error) }
        }
      }),
    ),
  )
}

async function mendOne(
  project: string,
  { source, id, subscriber }: Named,
  deps: SendDeps & { depthOf: (queue: string) => Promise<number> },
): Promise<Pick<Mended, 'outcome' | 'detail'>> {
  const { stored, deliveries } = await deps.history.fate({ project, source, id })
  if (stored === undefined) return { outcome: 'no such event' }
  if (!stored.expects.includes(subscriber)) return { outcome: 'not expected' }
  const mark = deliveries.find((delivery) => delivery.replay === '' && delivery.subscriber === subscriber)
  if (mark !== undefined && mark.state !== 'retrying') return { outcome: 'already', detail: mark.state }
  const { routes, clock, depthOf } = deps
  const now = clock()
  if (await mayBeQueued(subscriber, lastMoved(stored.event.received, mark), { now, routes, depthOf }))
    return { outcome: 'in flight' }
  if (routes.every((route) => route.subscriber !== subscriber)) {
    const unmarked = deliveries.filter((delivery) => delivery !== mark)
    await sendMissing({ stored: { ...stored, expects: [subscriber] }, deliveries: unmarked }, deps)
    return { outcome: 'dead' }
  }
  // a queue that keeps order swallows what it has seen within five minutes, even if that lies there no longer
  const frame = { event: stored.event, replay: '', resent: true }
  const [unsent] = await sendTo(subscriber, [messageOf(subscriber, frame, `mended ${now}`)], deps)
  return unsent === undefined ? { outcome: 'sent' } : { outcome: 'failed', detail: reasonOf(unsent.error) }
}
