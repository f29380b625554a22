import type { Line } from './lines.ts'

/** How what comes from outside changes: all times in seconds, from the start of the analysis. */
export type Shape = {
  shape: 'step' | 'burst' | 'ramp'
  /** by how much it grows */
  factor: number
  /** when it begins */
  after: number
  /** how long a ramp takes to grow; of the others 0 */
  rise: number
  /** how long it stays up; then it is at once what it was */
  hold: number
}

/** The factor over time: from each breakpoint on, up to the next. */
export function factorOver({ factor, after, rise, hold }: Shape): { from: number; line: Line }[] {
  const once = { at: 1, slope: 0 }
  const slope = rise === 0 ? 0 : (factor - 1) / rise
  return [
    { from: 0, line: once },
    ...(rise === 0 ? [] : [{ from: after, line: { at: 1 - slope * after, slope } }]),
    { from: after + rise, line: { at: factor, slope: 0 } },
    { from: after + rise + hold, line: once },
  ]
}
