import type { Clock, Ephemeral } from '../../core/ports.ts'

/** What is kept for a while, in this process; it goes by the clock that it is given. */
export function inMemoryEphemeral({ clock }: { clock: Clock }): Ephemeral {
  const kept = new Map<string, { value: string; until: number }>()
  return {
    async putIfAbsent(key, value, seconds) {
      const now = Math.floor(Date.parse(clock()) / 1000)
      const there = kept.get(key)
      if (there !== undefined && there.until > now) return there.value
      kept.set(key, { value, until: now + seconds })
      return value
    },
  }
}
