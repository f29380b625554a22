import type { Queues } from '../../core/ports.ts'

/** Of one message, as SQS has it. */
const mostBytes = 1_048_576

export type InMemoryQueues = Queues & {
  /** Takes up to `count` messages off a queue, oldest first; for tests and simulations, which play the consumer. */
  take(queue: string, count?: number): string[]
}

/** Queues in this process: in order, each message once. Empty and oversized bodies are refused, one by one. */
export function inMemoryQueues(): InMemoryQueues {
  const queues = new Map<string, string[]>()
  return {
    async send(queue, bodies) {
      const waiting = queues.get(queue) ?? []
      queues.set(queue, waiting)
      return bodies.flatMap((body, index) => {
        const size = Buffer.byteLength(body)
        if (size === 0 || size > mostBytes)
          return [{ index, error: new Error(`a message has 1 to ${mostBytes} bytes, this one has ${size}`) }]
        waiting.push(body)
        return []
      })
    },
    async depth(queue) {
      return queues.get(queue)?.length ?? 0
    },
    take: (queue, count = Number.POSITIVE_INFINITY) => queues.get(queue)?.splice(0, count) ?? [],
  }
}
