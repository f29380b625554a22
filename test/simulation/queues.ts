import { behindAFailed, messagesFor } from '../../adapters/message-rules.ts'
import type { OrderedMessage, Queues } from '../../core/ports.ts'
import type { Chance } from './chance.ts'

/** A queue as SQS keeps it. Times are milliseconds. */
export type QueueSettings = {
  visibility: number
  retention: number
  ordered: boolean
  /** received more often than `after`, a message goes there */
  fails?: { to: string; after: number } | undefined
}

export type SimulatedMessage = {
  id: string
  body: string
  group: string | undefined
  attributes: Readonly<Record<string, string>>
  /** a letter keeps the time of its first queue */
  sent: number
  visibleAt: number
  receives: number
  /** changes with each receive; the last one counts */
  receipt: number
}

/** What may go wrong by itself, as probabilities; all zero when faults have stopped. */
export type QueueFaults = {
  /** a message that was handed out is not hidden: another receiver gets it at the same time */
  duplicate: number
  /** messages come in another order than they were sent */
  reorder: number
  /** a message cannot be moved to the dead letter queue now, and is tried at its next receive */
  immovable: number
}

export type SimulatedQueues = Queues & {
  /** Puts a message onto a queue past the port: what AWS itself sends, or what lay there before all began. */
  put(
    queue: string,
    body: string,
    attributes?: Readonly<Record<string, string>>,
    lay?: { group?: string; receives?: number },
  ): void
  /** Takes up to so many that are visible; they are hidden for the queue's visibility timeout. */
  receive(queue: string, most: number): SimulatedMessage[]
  /** Deletes a message; false when it was received by somebody else meanwhile, or is gone. */
  remove(queue: string, message: SimulatedMessage, receipt: number): boolean
  /** Hides a received message for so many milliseconds from now, if the receipt still counts. */
  hide(queue: string, id: string, receipt: number, milliseconds: number): void
  /** When the next message may be received; undefined: there is none. */
  nextAt(queue: string): number | undefined
  /** Everything on a queue, whether visible or not. */
  all(queue: string): readonly SimulatedMessage[]
  names(): string[]
  /** The queue is gone with all that lay in it; sends to it fail from now on. */
  drop(queue: string): void
}

/** Of one message, as SQS has it. */
const mostBytes = 1_048_576
/** How long a deduplication id is remembered. */
const remembered = 5 * 60_000

/** Queues in virtual time: standard ones, and ordered ones by group. `told` hears of what happens to messages. */
export function simulatedQueues({
  settingsOf,
  now,
  chance,
  faults,
  told = {},
}: {
  settingsOf: (queue: string) => QueueSettings
  now: () => number
  chance: Chance
  faults: () => QueueFaults
  told?: {
    arrived?: (queue: string, message: SimulatedMessage) => void
    failed?: (queue: string, message: SimulatedMessage) => void
    refused?: (queue: string) => void
    expired?: (queue: string, message: SimulatedMessage) => void
  }
}): SimulatedQueues {
  type Queue = {
    settings: QueueSettings
    messages: SimulatedMessage[]
    taken: Map<string, number>
  }
  const queues = new Map<string, Queue>()
  const gone = new Set<string>()
  let count = 0

  function queueOf(name: string): Queue {
    const known = queues.get(name)
    if (known !== undefined) return known
    const made: Queue = { settings: settingsOf(name), messages: [], taken: new Map() }
    queues.set(name, made)
    return made
  }

  function add(name: string, body: string, rest: Partial<SimulatedMessage> = {}): void {
    const message: SimulatedMessage = {
      id: `m${count++}`,
      body,
      group: undefined,
      attributes: { queue: name },
      sent: now(),
      visibleAt: now(),
      receives: 0,
      receipt: 0,
      ...rest,
    }
    queueOf(name).messages.push(message)
    told.arrived?.(name, message)
  }

  function isFirst({ taken }: Queue, dedupe: string): boolean {
    const before = taken.get(dedupe)
    if (before !== undefined && now() - before < remembered) return false
    taken.set(dedupe, now())
    return true
  }

  function expire(name: string, queue: Queue): void {
    const oldest = now() - queue.settings.retention
    if (!queue.messages.some(({ sent }) => sent < oldest)) return
    for (const message of queue.messages) if (message.sent < oldest) told.expired?.(name, message)
    queue.messages = queue.messages.filter(({ sent }) => sent >= oldest)
  }

  /** In order; of a group nothing that stands behind one which is hidden. */
  function visible({ settings, messages }: Queue): SimulatedMessage[] {
    const free = messages.filter(({ visibleAt }) => visibleAt <= now())
    if (!settings.ordered) return chance.is(faults().reorder) ? chance.shuffled(free) : free
    const hidden = new Set(messages.flatMap(({ visibleAt, group }) => (visibleAt > now() ? [group] : [])))
    return free.filter(({ group }) => !hidden.has(group))
  }

  /** Received too often: to the dead letter queue, unless that fails. True: it is not handed out. */
  function fails(name: string, queue: Queue, message: SimulatedMessage): boolean {
    const { fails: to, visibility, ordered } = queue.settings
    if (to === undefined || message.receives < to.after) return false
    if (chance.is(faults().immovable)) {
      message.visibleAt = now() + visibility
      told.refused?.(name)
      return true
    }
    queue.messages = queue.messages.filter((other) => other !== message)
    const { body, group, attributes, sent } = message
    add(to.to, body, { attributes, sent, ...(ordered ? { group } : {}) })
    return true
  }

  const refusal = (name: string, body: string): Error | undefined => {
    if (gone.has(name)) return new Error(`AWS.SimpleQueueService.NonExistentQueue: ${name}`)
    const size = Buffer.byteLength(body)
    if (size > 0 && size <= mostBytes) return undefined
    return new Error(`a message has 1 to ${mostBytes} bytes, this one has ${size}`)
  }

  const deliver = (
    queue: string,
    ordered: readonly OrderedMessage[],
  ): { index: number; error: unknown }[] => {
    const failed = new Set<string>()
    return ordered.flatMap(({ body, group, dedupe }, index) => {
      const error = failed.has(group) ? behindAFailed(group) : refusal(queue, body)
      if (error !== undefined) {
        failed.add(group)
        return [{ index, error }]
      }
      if (isFirst(queueOf(queue), dedupe)) add(queue, body, { group })
      return []
    })
  }

  return {
    async send(queue, messages) {
      const sorted = messagesFor(queue, queueOf(queue).settings.ordered, messages)
      if ('ordered' in sorted) return deliver(queue, sorted.ordered)
      return sorted.texts.flatMap((body, index) => {
        const error = refusal(queue, body)
        if (error !== undefined) return [{ index, error }]
        add(queue, body)
        return []
      })
    },
    async depth(name) {
      const queue = queueOf(name)
      expire(name, queue)
      return queue.messages.length
    },
    put: (queue, body, attributes = {}, lay = {}) => add(queue, body, { attributes, ...lay }),
    receive(name, most) {
      const queue = queueOf(name)
      expire(name, queue)
      const received: SimulatedMessage[] = []
      const blocked = new Set<string>()
      for (const message of visible(queue)) {
        if (received.length >= most) break
        const { group } = message
        if (group !== undefined && blocked.has(group)) continue
        if (fails(name, queue, message)) {
          told.failed?.(name, message)
          if (group !== undefined) blocked.add(group)
          continue
        }
        message.receives++
        message.receipt++
        const doubled = !queue.settings.ordered && chance.is(faults().duplicate)
        message.visibleAt = now() + (doubled ? chance.between(0, 50) : queue.settings.visibility)
        received.push({ ...message })
      }
      return received
    },
    remove(name, { id }, receipt) {
      const queue = queueOf(name)
      const message = queue.messages.find((other) => other.id === id)
      if (message === undefined || message.receipt !== receipt) return false
      queue.messages = queue.messages.filter((other) => other !== message)
      return true
    },
    hide(name, id, receipt, milliseconds) {
      const message = queueOf(name).messages.find((other) => other.id === id)
      if (message !== undefined && message.receipt === receipt && message.visibleAt > now())
        message.visibleAt = now() + milliseconds
    },
    nextAt(name) {
      const { messages, settings } = queueOf(name)
      if (messages.length === 0) return undefined
      if (!settings.ordered) return Math.max(now(), Math.min(...messages.map(({ visibleAt }) => visibleAt)))
      const groups = new Map<string | undefined, number>()
      for (const { group, visibleAt } of messages)
        groups.set(group, Math.max(groups.get(group) ?? 0, visibleAt))
      return Math.max(now(), Math.min(...groups.values()))
    },
    all: (queue) => queueOf(queue).messages,
    names: () => [...queues.keys()],
    drop(queue) {
      gone.add(queue)
      queues.delete(queue)
    },
  }
}
