import { booksMended } from '../../events/books.mended.ts'
import type { Identity } from '../../events/envelope.ts'
import { atMost } from '../at-most.ts'
import { attempt } from '../attempt.ts'
import { commitDecision } from '../commit-decision.ts'
import { reasonOf } from '../errors.ts'
import { outboxItems } from '../event/outbox.ts'
import { depthsOnce, lastMoved, mayBeQueued } from '../gate/missing.ts'
import { messageOf, type SendDeps, sendMissing, sendTo } from '../gate/send.ts'
import type { Memory } from '../ports.ts'

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

type Became = Pick<Mended, 'outcome' | 'detail'>
/** What is to be done about one, or what has become of it without. */
type Looked = { send: () => Promise<Became> } | Became

export type BooksDeps = SendDeps & { memory: Pick<Memory, 'get' | 'commit'>; newId: () => string }

/**
 * Sends on what the books named as missing, one answer each, in order. What cannot be sent is said and can be named again.
 * Who had it sent is told before anything is.
 * @throws Failure Busy
 */
export async function mendMissing(
  project: string,
  names: readonly Named[],
  by: string,
  deps: BooksDeps,
): Promise<Mended[]> {
  // what is sent here must not count as a backlog for its neighbours
  const depthOf = depthsOnce(deps.queues)
  const inTurn = atMost(side)
  const tried = <T>(action: () => Promise<T>) =>
    inTurn(async () => {
      const done = await attempt(action)
      return 'error' in done ? { outcome: 'failed' as const, detail: reasonOf(done.error) } : done.value
    })
  const looked = await Promise.all(
    names.map((name) => tried(() => look(project, name, { ...deps, depthOf }))),
  )
  const due = names.filter((_, index) => 'send' in (looked[index] ?? {}))
  if (due.length > 0) await tell(project, due, by, deps)
  const became = await Promise.all(looked.map((one) => ('send' in one ? tried(one.send) : one)))
  return names.map((name, index) => ({ ...name, ...(became[index] ?? { outcome: 'failed' }) }))
}

async function tell(
  project: string,
  due: readonly Named[],
  by: string,
  { memory, newId }: BooksDeps,
): Promise<void> {
  const deliveries = due.map(({ source, id, subscriber }) => ({ source, id, subscriber }))
  const emits = [{ type: booksMended, data: { mend: newId(), deliveries } }]
  const outbox = outboxItems({ emits, sequence: 1 }, { project, by: 'books', actor: by })
  await commitDecision(
    (change) => memory.commit(change),
    'what is told',
    async () => ({ change: { writes: [], outbox }, answer: undefined }),
  )
}

async function look(
  project: string,
  { source, id, subscriber }: Named,
  deps: SendDeps & { depthOf: (queue: string) => Promise<number> },
): Promise<Looked> {
  const { stored, deliveries } = await deps.history.fate({ project, source, id })
  if (stored === undefined) return { outcome: 'no such event' }
  if (!stored.expects.includes(subscriber)) return { outcome: 'not expected' }
  const mark = deliveries.find((delivery) => delivery.replay === '' && delivery.subscriber === subscriber)
  if (mark !== undefined && mark.state !== 'retrying') return { outcome: 'already', detail: mark.state }
  const { routes, clock, depthOf } = deps
  const now = clock()
  if (await mayBeQueued(subscriber, lastMoved(stored.event.received, mark), { now, routes, depthOf }))
    return { outcome: 'in flight' }
  const unmarked = deliveries.filter((delivery) => delivery !== mark)
  const sendOn = async (): Promise<Became> => {
    if (routes.every((route) => route.subscriber !== subscriber)) {
      await sendMissing({ stored: { ...stored, expects: [subscriber] }, deliveries: unmarked }, deps)
      return { outcome: 'dead' }
    }
    // a queue that keeps order swallows what it has seen within five minutes, even if that lies there no longer
    const frame = { event: stored.event, replay: '', resent: true }
    const [unsent] = await sendTo(subscriber, [messageOf(subscriber, frame, `mended ${now}`)], deps)
    return unsent === undefined ? { outcome: 'sent' } : { outcome: 'failed', detail: reasonOf(unsent.error) }
  }
  return { send: sendOn }
}
