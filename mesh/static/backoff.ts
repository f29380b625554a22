import { constantIn } from '../laws/constant-values.ts'
import type { Loaded } from '../load.ts'
import { erlangB } from '../queueing/erlang.ts'
import type { Extra, Moments } from './times.ts'

/** Seconds from one throttled attempt of an asynchronous invocation to the next: they double, from the first to the longest. */
export type Pauses = { first: number; longest: number }

export const pausesIn = (constants: Loaded['constants']): Pauses => ({
  first: constantIn(constants, 'lambda-async-throttled-interval'),
  longest: constantIn(constants, 'lambda-async-throttled-max-delay'),
})

/** Of fewer throttled than that nobody's 99 of a hundred waits. */
const negligible = 1e-3

/** What throttled attempts wait, the part that is too old before one is let in, and both moments of the wait. */
export type Backoff = { extras: Extra[]; aged: number; waits: Moments }

/**
 * Attempts that find all servers busy come again later. Taken to come back far apart and independent they are Poisson as fresh
 * ones are (Cohen 1957): all A erlangs of them are refused with probability B(c, A), where A(1 - B(c, A)) is what is served:
 * all but what gets too old.
 * What comes back together, as waits that are not spread do, is refused more often: it is the least. undefined: hardly
 * any is throttled.
 */
export function backoffOf(
  servers: number,
  offered: number,
  maxAge: number,
  pauses: Pauses,
): Backoff | undefined {
  if (offered >= servers || maxAge <= 0 || erlangB(servers, offered) < negligible) return undefined
  let [low, high] = [0, 2 * servers]
  const isLess = (brought: number): boolean => {
    const refused = erlangB(servers, brought)
    return brought * (1 - refused) < offered * (1 - waitsOf(refused, maxAge, pauses).aged)
  }
  while (isLess(high) && high < 1e9) high *= 2
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2
    if (isLess(middle)) low = middle
    else high = middle
  }
  const { extras, aged } = waitsOf(erlangB(servers, high), maxAge, pauses)
  const all = extras.reduce((sum, { chance }) => sum + chance, 0)
  const moment = (power: number) =>
    extras.reduce((sum, each) => sum + each.seconds ** power * each.chance, 0) / all
  const mean = moment(1)
  return {
    extras: extras.map((each) => ({ ...each, chance: each.chance / all })),
    aged,
    waits: { mean, variance: moment(2) - mean ** 2 },
  }
}

/** What waits when each attempt is refused with this probability, and the part that gets too old. */
function waitsOf(refused: number, maxAge: number, { first, longest }: Pauses) {
  const extras: Extra[] = []
  let [seconds, wait, aged] = [0, first, 1]
  for (; seconds < maxAge && aged > 1e-9; wait = Math.min(longest, 2 * wait)) {
    extras.push({ seconds, chance: aged * (1 - refused) })
    aged *= refused
    seconds += wait
  }
  return { extras, aged: seconds < maxAge ? 0 : aged }
}
