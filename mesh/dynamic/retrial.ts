import { expectedAttempts } from '../static/tries.ts'

/** What fails with probability `fails` by itself, at most `attempts` times; so long after an attempt began it waits again, last in the row. */
export type Retrial = { fails: number; attempts: number; gap: (attempt: number) => number }

export const triesOf = (retrial: Retrial | undefined): number =>
  retrial === undefined ? 1 : expectedAttempts(retrial.fails, retrial.attempts)
