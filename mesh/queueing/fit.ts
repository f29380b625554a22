/** A time of which two moments are known, as the distribution that is computed with. */
type Fit =
  | { kind: 'constant' }
  /** exponential of mean/(2 part) in `part` of all cases, of mean/(2 rest) in the rest: both bring half of the mean */
  | { kind: 'hyperexponential'; part: number; rest: number }
  /** `phases` one after the other, each `phase` of the mean; one fewer in `part` of all cases */
  | { kind: 'erlang'; phases: number; part: number; phase: number }

/** From here on a squared coefficient of variation is that of a constant. */
export const constantBelow = 1 / 500

/**
 * Fits two moments (Tijms 1994, ch. 5): constant for scv 0, a mixture of two Erlang below 1, exponential at 1, two
 * exponentials with balanced means above.
 */
export function fitted(scv: number): Fit {
  if (scv < constantBelow) return { kind: 'constant' }
  if (scv > 1) {
    // 1 - part, without the difference
    const rest = 1 / ((scv + 1) * (1 + Math.sqrt((scv - 1) / (scv + 1))))
    return { kind: 'hyperexponential', part: 1 - rest, rest }
  }
  const phases = Math.ceil(1 / scv - 1e-9)
  const root = Math.sqrt(Math.max(0, phases * (1 + scv) - phases ** 2 * scv))
  const part = phases === 1 ? 0 : Math.max(0, (phases * scv - root) / (1 + scv))
  return { kind: 'erlang', phases, part, phase: 1 / (phases - part) }
}
