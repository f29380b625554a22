import { seeded } from '../world.ts'

/** One stream of randomness: whatever a schedule chooses is drawn from it, so that its seed tells all. */
export type Chance = ReturnType<typeof chanceOf>

export function chanceOf(seed: number) {
  const random = seeded(seed)
  const between = (least: number, most: number): number => least + random() * (most - least)
  return {
    random,
    /** whether something of this probability happens */
    is: (probability: number): boolean => probability > 0 && random() < probability,
    between,
    /** a whole number, both ends among them */
    whole: (least: number, most: number): number => Math.floor(between(least, most + 1)),
    /** greater the rarer: evenly spread over the orders of magnitude */
    rate: (least: number, most: number): number => Math.exp(between(Math.log(least), Math.log(most))),
    pick: <T>(items: readonly [T, ...T[]]): T => items[Math.floor(random() * items.length)] ?? items[0],
    shuffled: <T>(items: readonly T[]): T[] =>
      items
        .map((item) => ({ item, at: random() }))
        .sort((a, b) => a.at - b.at)
        .map(({ item }) => item),
  }
}
