import { queueRetention } from '../../core/gate/missing.ts'
import type { OrderedMessage, Queues } from '../../core/ports.ts'
import type { RecordedEvent } from '../../events/envelope.ts'
import type { Process } from './calls.ts'
import { isGarbage } from './doors.ts'
import { noteSent } from './jobs-seen.ts'
import { deliveryText, type Observed } from './observed.ts'
import type { SimulatedQueues } from './queues.ts'

type Frame = { event: RecordedEvent; replay: string; resent?: boolean; attempt?: number; release?: string }

/** The queues as one process sends to them: each message for a subscriber is looked at. */
export function watchedQueues({
  queues,
  lying,
  process,
  observed,
  now,
}: {
  /** what it sends to */
  queues: Queues
  /** what lies in them */
  lying: SimulatedQueues
  process: Process
  observed: Observed
  now: () => number
}): Queues {
  return {
    async send(queue, messages) {
      if (queue !== 'record') for (const message of messages) look(queue, message)
      return queues.send(queue, messages)
    },
    depth: (queue) => queues.depth(queue),
  }

  function look(subscriber: string, message: string | OrderedMessage): void {
    const frame = JSON.parse(typeof message === 'string' ? message : message.body) as Frame
    const { project, source, id } = frame.event
    const delivery = deliveryText({ project, source, id, subscriber, replay: frame.replay })
    observed.step(id, () => `${process.kind} #${process.id} sends ${delivery}${frame.resent ? ' again' : ''}`)
    if (frame.resent !== true && frame.replay === '' && (frame.attempt ?? 1) === 1) {
      const times = (observed.sentAsNew.get(delivery) ?? 0) + 1
      observed.sentAsNew.set(delivery, times)
    } else observed.sometimes('something is sent again')
    if (process.kind === 'replay-batch') noteSent(frame.replay, observed, now())
    if (/^(api|redrive-batch)$/.test(process.kind) && frame.resent === true) lookAtRedrive(delivery, frame)
    if (/^(sweep|api books)$/.test(process.kind) && frame.resent === true)
      lookAtSweep(subscriber, delivery, frame)
  }

  /** Somebody has it sent again: what is dead or parked, and nothing else. */
  function lookAtRedrive(delivery: string, { event, release }: Frame): void {
    observed.sometimes('something dead is sent anew')
    const mark = observed.deliveries.get(delivery)
    // in a lane the dead keep their marks until they run; one that died since its lane was looked at runs no more
    const isOfLane = process.kind === 'redrive-batch' && release !== undefined
    if (isOfLane && mark?.state === 'dead' && mark.at < now() - 75_000)
      observed.mended.push({ by: undefined, mark, at: now() })
    const times = (observed.sentAnew.get(delivery) ?? 0) + 1
    observed.sentAnew.set(delivery, times)
    const reopened = observed.reopened.get(delivery)?.length ?? 0
    if (release === undefined && times > reopened)
      observed.violated({
        invariant: 'of two who redrive one does',
        message: `${delivery} was sent anew ${times} times and reopened ${reopened} times`,
        id: event.id,
      })
    const settled =
      mark === undefined || ((mark.state === 'done' || mark.state === 'dropped') && mark.at < now() - 60_000)
    if (settled)
      observed.violated({
        invariant: 'a redrive goes to the one that failed',
        message: `${process.kind} sent ${delivery} again, which ${mark === undefined ? 'nobody had tried' : `was ${mark.state}`}`,
        id: event.id,
      })
  }

  /** The sweep sends what is missing: not what still lies in the queue, where somebody will come for it. */
  function lookAtSweep(subscriber: string, delivery: string, { event }: Frame): void {
    observed.sometimes(`the ${process.kind === 'sweep' ? 'sweep sends' : 'books send'} what was missing`)
    // the age of an event says what a queue has let go of: what was sent late may lie there a little longer
    if (Date.parse(event.received) < now() - queueRetention) return
    if (event.door === 'outbox' || event.door === 'states') return
    // what was sent anew is sent once more each hour: somebody waits for it. An hour by clocks that may be wrong
    const resumed = observed.deliveries.get(delivery)?.resumed ?? 0
    const patience = resumed > 0 ? 58 * 60_000 : 0
    const began = now() - 60_000
    // what lay there when it was reopened had been answered: only its deletion got lost
    const reopened = observed.reopened.get(delivery)?.at(-1) ?? Number.NEGATIVE_INFINITY
    const waiting = lying.all(subscriber).find(({ body, sent }) => {
      if (isGarbage(body)) return false
      const other = JSON.parse(body) as Frame
      const { project, source, id } = other.event
      return (
        sent < began &&
        sent > reopened &&
        sent > now() - (patience || Number.POSITIVE_INFINITY) &&
        deliveryText({ project, source, id, subscriber, replay: other.replay }) === delivery
      )
    })
    if (waiting !== undefined)
      observed.violated({
        invariant: 'a backlog is not a loss',
        message: `${process.kind} sent ${delivery} again, and message ${waiting.id} of it lay in the queue since ${new Date(waiting.sent).toISOString()}`,
        id: event.id,
      })
  }
}

/** A queue has let go of a message: where nobody has marked its delivery, that is lost until somebody sends it again. */
export function noteExpired(subscriber: string, body: string, observed: Observed): void {
  if (isGarbage(body)) return
  const { event, replay } = JSON.parse(body) as Frame
  observed.sometimes('a queue lets go of what lay in it')
  const { project, source, id } = event
  if (replay === '')
    observed.expired.set(deliveryText({ project, source, id, subscriber, replay }), { subscriber, event })
}
