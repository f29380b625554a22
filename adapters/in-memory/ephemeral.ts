import type { Clock, Ephemeral } from '../../core/ports.ts'

/** What is kept for a while, in this process; it goes by the clock that it is given. */
export function inMemoryEphemeral({ clock }: { clock: Clock }): Ephemeral {
  const kept = new Map<string, { value: string; until: number }>()
  const tallies = new Map<string, { counts: ReadonlyMap<string, number>; until: number }>()
  const seconds = (): number => Math.floor(Date.parse(clock()) / 1000)
  return {
    async putIfAbsent(key, value, lasts) {
      const now = seconds()
      const there = kept.get(key)
      if (there !== undefined && there.until > now) return there.value
      kept.set(key, { value, until: now + lasts })
      return value
    },
    async tally(key, amounts, lasts) {
      const now = seconds()
      const there = tallies.get(key)
      const { counts, until } =
        there !== undefined && there.until > now ? there : { counts: new Map(), until: now + lasts }
      const added = Object.entries(amounts)
      const sums = new Map([
        ...counts,
        ...added.map(([name, amount]): [string, number] => [name, (counts.get(name) ?? 0) + amount]),
      ])
      if (added.length > 0) tallies.set(key, { counts: sums, until })
      return Object.fromEntries(sums)
    },
  }
}
