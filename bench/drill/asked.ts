import { wholeNumber } from '../../test/arguments.ts'

export const usage = 'npm run drill [-- events [seed]]'

/** How many events, and drawn from which seed. @throws Error that says what was expected */
export function asked([events = '100000', seed = '1', ...more]: readonly string[]) {
  if (more.length > 0) throw new Error(`${more[0]}: too many arguments`)
  return { events: wholeNumber('events', events), seed: wholeNumber('seed', seed, 0) }
}
