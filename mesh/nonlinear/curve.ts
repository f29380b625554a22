/** What comes to a site at the load factor 1, and what becomes of it when it fails. */
type Source = {
  /** messages a second */
  rate: number
  /** attempts for each message when x a second come to the site */
  attempts: (x: number) => number
  /** attempts a second that come this way at most, as a poll has no more servers; else Infinity */
  cap: number
}

/** A place on the curve of steady states: at this load factor so many attempts a second come. */
export type Point = { factor: number; rate: number }

/** Where the branch of few attempts ends, and down to where the branch of many goes. */
export type Fold = { top: Point; bottom: Point }

/**
 * The load factor at which x attempts a second come: x = Σ min(s λ A(x), cap) solved for s. As each x has one s, the steady
 * states are a curve over x, folds and unstable part included, and no continuation can lose it.
 */
export function factorAt(sources: readonly Source[], x: number): number {
  const [only] = sources
  if (sources.length === 1 && only !== undefined)
    return x > only.cap ? Number.POSITIVE_INFINITY : x / (only.rate * only.attempts(x))
  let left = x
  let slope = 0
  const open = sources
    .map(({ rate, attempts, cap }) => ({ pace: rate * attempts(x), cap }))
    .filter(({ pace, cap }) => pace > 0 && cap > 0)
    .toSorted((a, b) => a.cap / a.pace - b.cap / b.pace)
  for (const { pace } of open) slope += pace
  for (const { pace, cap } of open) {
    if (slope <= 0 || left / slope <= cap / pace) break
    left -= cap
    slope -= pace
  }
  return slope <= 1e-12 * x ? (left <= 1e-9 * x ? 0 : Number.POSITIVE_INFINITY) : left / slope
}

/** The load factor from which on one of the polls has more to bring than servers, up to x attempts a second; else Infinity. */
export function fullAt(sources: readonly Source[], x: number): number {
  const isFull = (rate: number) => {
    const factor = factorAt(sources, rate)
    return sources.some((source) => factor * source.rate * source.attempts(rate) > source.cap)
  }
  if (!isFull(x)) return Number.POSITIVE_INFINITY
  let [low, high] = [0, x]
  for (let round = 0; round < 50; round++) {
    const middle = (low + high) / 2
    if (isFull(middle)) high = middle
    else low = middle
  }
  return low === 0 ? 0 : factorAt(sources, low)
}

/** Steady states over attempts a second up to `highest`, close together around the capacity. */
export function curveOf(sources: readonly Source[], capacity: number, highest: number): Point[] {
  const lowest = Math.min(capacity, highest) / 1000
  const steps = 96
  const rates = new Set<number>()
  for (let k = 0; k <= steps; k++) rates.add(lowest * (highest / lowest) ** (k / steps))
  if (capacity < highest) for (let k = 0; k <= steps; k++) rates.add(capacity * (0.5 + (0.6 * k) / steps))
  return [...rates]
    .filter((rate) => rate <= highest * (1 + 1e-12))
    .toSorted((a, b) => a - b)
    .map((rate) => ({ rate, factor: factorAt(sources, rate) }))
    .filter(({ factor }) => Number.isFinite(factor))
}

/** Folds of less than one in a thousand are rounding. */
const slight = 1e-3

/** The first fold on a curve from below: a highest factor, and the lowest behind it. undefined: it only rises. */
export function foldOf(sources: readonly Source[], curve: readonly Point[]): Fold | undefined {
  let top = 0
  for (let k = 1; k < curve.length; k++) {
    const factor = curve[k]?.factor ?? 0
    if (factor >= (curve[top]?.factor ?? 0)) top = k
    else if (factor < (curve[top]?.factor ?? 0) * (1 - slight)) break
  }
  let bottom = top
  for (let k = top; k < curve.length; k++)
    if ((curve[k]?.factor ?? 0) < (curve[bottom]?.factor ?? 0)) bottom = k
  if (bottom === top || (curve[bottom]?.factor ?? 0) >= (curve[top]?.factor ?? 0) * (1 - slight))
    return undefined
  return {
    top: turn(sources, curve, top, 1),
    bottom: turn(sources, curve, bottom, -1),
  }
}

/** The extremum around a place of the curve, by golden section. */
function turn(sources: readonly Source[], curve: readonly Point[], place: number, sign: 1 | -1): Point {
  const golden = (Math.sqrt(5) - 1) / 2
  let low = curve[Math.max(0, place - 1)]?.rate ?? 0
  let high = curve[Math.min(curve.length - 1, place + 1)]?.rate ?? 0
  let best = curve[place] ?? { rate: low, factor: 0 }
  const look = (rate: number) => {
    const factor = factorAt(sources, rate)
    if (sign * factor > sign * best.factor) best = { rate, factor }
    return sign * factor
  }
  for (let round = 0; round < 40; round++) {
    const [left, right] = [high - golden * (high - low), low + golden * (high - low)]
    if (look(left) > look(right)) high = right
    else low = left
  }
  return best
}
