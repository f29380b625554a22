import type { Bodies } from '../../core/ports.ts'

export type InMemoryBodies = Bodies & {
  /** As if it had expired. */
  remove(key: string): void
}

/** Bodies in this process. One that a person still has to look at lies under `held/` too and is found there. */
export function inMemoryBodies(): InMemoryBodies {
  const bodies = new Map<string, Uint8Array>()
  return {
    async put(key, body) {
      bodies.set(key, body.slice())
    },
    async get(key) {
      return (bodies.get(key) ?? bodies.get(`held/${key}`))?.slice()
    },
    remove: (key) => void bodies.delete(key),
  }
}
