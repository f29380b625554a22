/** A rate that is linear in time: at + slope · t, t in seconds since the start; absolute, so that it stays as time goes on. */
export type Line = { at: number; slope: number }

export const nought: Line = { at: 0, slope: 0 }

export const valueAt = ({ at, slope }: Line, time: number): number => at + slope * time

export const plus = (one: Line, other: Line): Line => ({
  at: one.at + other.at,
  slope: one.slope + other.slope,
})

export const minus = (one: Line, other: Line): Line => ({
  at: one.at - other.at,
  slope: one.slope - other.slope,
})

export const times = ({ at, slope }: Line, factor: number): Line => ({
  at: at * factor,
  slope: slope * factor,
})

/** The same line, later by `delay`. */
export const later = ({ at, slope }: Line, delay: number): Line => ({ at: at - slope * delay, slope })

/** What comes between two times. */
export const between = (line: Line, from: number, to: number): number =>
  (to - from) * valueAt(line, (from + to) / 2)

/** Seconds until a + bt + ct² falls from a >= 0 through 0; Infinity: it never does. Stable forms of both roots. */
export function untilZero(a: number, b: number, c: number): number {
  const start = Math.max(0, a)
  if (c === 0) return b < 0 ? start / -b : Number.POSITIVE_INFINITY
  const discriminant = b * b - 4 * start * c
  if (discriminant < 0 || (c > 0 && b >= 0)) return Number.POSITIVE_INFINITY
  const root = Math.sqrt(discriminant)
  return b < 0 ? (2 * start) / (root - b) : (b + root) / (-2 * c)
}

/** Seconds from `time` until the line falls through 0. */
export const untilLineZero = (line: Line, time: number): number =>
  untilZero(valueAt(line, time), line.slope, 0)

/** Seconds from the beginning of a line until so much has come; `time`: when it begins. */
export const untilSum = (line: Line, time: number, sum: number): number =>
  untilZero(sum, -valueAt(line, time), -line.slope / 2)
