import type { Clock, Queues } from '../../core/ports.ts'
import { behindAFailed, messagesFor } from '../message-rules.ts'

/** Of one message, as SQS has it. */
const mostBytes = 1_048_576

/** How long a deduplication id is remembered. */
const remembered = 5 * 60_000

export type InMemoryQueues = Queues & {
  /** Takes up to `count` messages off a queue, oldest first; for tests and simulations, which play the consumer. */
  take(queue: string, count?: number): string[]
}

type Failure = { index: number; error: unknown }

/**
 * Queues in this process: in order, each message once. Empty and oversized bodies are refused, one by one. `ordered` says
 * which queues are so, none unless said; without a clock they remember for ever what they took.
 */
export function inMemoryQueues({
  ordered = () => false,
  clock,
}: {
  ordered?: ((queue: string) => boolean) | undefined
  clock?: Clock | undefined
} = {}): InMemoryQueues {
  const queues = new Map<string, string[]>()
  /** by queue and deduplication id: when it was taken */
  const taken = new Map<string, number>()

  /** Whether it is the first of its kind within five minutes. */
  function isFirst(queue: string, dedupe: string): boolean {
    const key = JSON.stringify([queue, dedupe])
    const now = clock === undefined ? 0 : Date.parse(clock())
    const before = taken.get(key)
    if (before !== undefined && now - before < remembered) return false
    taken.set(key, now)
    return true
  }

  return {
    async send(queue, messages) {
      const waiting = queues.get(queue) ?? []
      queues.set(queue, waiting)
      const sorted = messagesFor(queue, ordered(queue), messages)
      if ('texts' in sorted)
        return sorted.texts.flatMap((body, index): Failure[] => {
          const error = refusal(body)
          if (error !== undefined) return [{ index, error }]
          waiting.push(body)
          return []
        })
      const failed = new Set<string>()
      return sorted.ordered.flatMap(({ body, group, dedupe }, index): Failure[] => {
        const error = failed.has(group) ? behindAFailed(group) : refusal(body)
        if (error !== undefined) {
          failed.add(group)
          return [{ index, error }]
        }
        if (isFirst(queue, dedupe)) waiting.push(body)
        return []
      })
    },
    async depth(queue) {
      return queues.get(queue)?.length ?? 0
    },
    take: (queue, count = Number.POSITIVE_INFINITY) => queues.get(queue)?.splice(0, count) ?? [],
  }
}

function refusal(body: string): Error | undefined {
  const size = Buffer.byteLength(body)
  return size === 0 || size > mostBytes
    ? new Error(`a message has 1 to ${mostBytes} bytes, this one has ${size}`)
    : undefined
}
