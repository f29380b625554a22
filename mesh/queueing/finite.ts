import { erlangB } from './erlang.ts'
import { fitted } from './fit.ts'

/** What a station with few places does. */
export type Finite = {
  /** the part of the arrivals that finds no place */
  loss: number
  /** mean number in the station, those in service included */
  number: number
}

/** The service of one class: its part of the arrivals, its mean in seconds and its squared coefficient of variation. */
type Share = { part: number; mean: number; scv: number }

/**
 * M/M/c/c+N with `waiting` = N places to wait. Birth and death: p(n) = aⁿ/n! up to c, then times ρ for each that waits.
 * Summed relative to p(c), or to p(c + N) where that is more, so that nothing overflows.
 */
export function manyServers(servers: number, offered: number, waiting: number): Finite {
  if (offered === 0) return { loss: 0, number: 0 }
  const rho = offered / servers
  // B(c) = p(c) / Σ p(0..c): the sum below and at c, in units of p(c)
  const blocked = erlangB(servers, offered)
  if (blocked < 1e-250) return { loss: 0, number: offered }
  const below = 1 / blocked
  // Σ n p(n) for n <= c is a Σ p(n) for n < c, as n aⁿ/n! = a aⁿ⁻¹/(n-1)!
  const meanBelow = offered * (below - 1)
  if (rho <= 1) {
    const { sum, weighted } = powers(rho, waiting)
    const total = below + sum
    return { loss: rho ** waiting / total, number: (meanBelow + servers * sum + weighted) / total }
  }
  const first = rho ** -waiting
  const { sum, weighted } = powers(1 / rho, waiting)
  // counted from the top: the last place is 1, the first that waits ρ¹⁻ᴺ
  const [top, under] = [sum * rho, weighted * rho - sum * rho]
  const total = below * first + top
  return { loss: 1 / total, number: (meanBelow * first + (servers + waiting) * top - under) / total }
}

/** Σ rʲ and Σ jrʲ for j = 1..N and r <= 1, by doubling: neither a difference nor a case for r near 1. */
function powers(r: number, count: number): { sum: number; weighted: number } {
  let all = { count: 0, power: 1, sum: 0, weighted: 0 }
  const joined = (one: typeof all, other: typeof all) => ({
    count: one.count + other.count,
    power: one.power * other.power,
    sum: one.sum + one.power * other.sum,
    weighted: one.weighted + one.power * (other.weighted + one.count * other.sum),
  })
  let half = { count: 1, power: r, sum: r, weighted: r }
  for (let left = count; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) all = joined(all, half)
    half = joined(half, half)
  }
  return all
}

/** From so few on a chance is left out. */
const slight = 1e-60
/** Products of the recursion before it is given up. */
const mostSteps = 5e8

/**
 * M/G/1/1+N, exact for services that are `fitted`, also when classes differ. `rate`: arrivals per second, of all classes.
 * By the time that each service spends with n in the system (Tijms 1994, section 9.6), which adds only what is positive:
 * p(n)P(N = 0) = p(0)P(N > n-1) + Σ p(k)P(N > n-k), k = 1..n-1, where N come during a service; from where p falls or grows
 * by a factor, by that. Throws a RangeError where neither comes to an end.
 */
export function oneServer(rate: number, classes: readonly Share[], waiting: number): Finite {
  const places = waiting + 1
  const rho = rate * classes.reduce((sum, { part, mean }) => sum + part * mean, 0)
  if (rho === 0) return { loss: 0, number: 0 }
  const { none, more, beyond } = during(rate, classes, places)
  if (places === 1) return { loss: rho / (1 + rho), number: rho / (1 + rho) }
  // whoever leaves has left the last place free, and hardly ever another
  if (none < 1e-250) return { loss: 1 - 1 / rho, number: places - 1 / rho }
  const weights = weightsOf(places, none, more)
  return summed(weights, places, beyond)
}

/** The weights of 0..n in the system, unscaled, and their sums; above n each is `growth` times the one below. */
type Weights = {
  /** the last ones, as many as are needed, in the place of their number */
  weights: readonly number[]
  growth: number
  n: number
  sum: number
  weighted: number
}

/** Up to one below the last place, or to where the growth is steady. */
function weightsOf(places: number, none: number, more: readonly number[]): Weights {
  const width = more.length
  const weights = [1]
  let [sum, weighted, steady, growth, n] = [1, 0, 0, 0, 0]
  while (n + 1 < places && steady <= width) {
    n++
    if (n * width > mostSteps)
      throw new RangeError(`${places} places are too many to count through where services differ so much`)
    const next = nextOf(weights, more) / none
    const ratio = next / (weights[n - 1] ?? 1)
    steady = n > width && Math.abs(ratio - growth) <= 1e-13 * ratio ? steady + 1 : 0
    growth = ratio
    weights[n] = next
    sum += next
    weighted += n * next
    if (next < 1e10) continue
    for (let k = Math.max(0, n - width); k <= n; k++) weights[k] = (weights[k] ?? 0) / next
    sum /= next
    weighted /= next
  }
  return { weights, growth, n, sum, weighted }
}

function nextOf(weights: readonly number[], more: readonly number[]): number {
  const n = weights.length
  let sum = (weights[0] ?? 0) * (more[n - 1] ?? 0)
  for (let k = Math.max(1, n - more.length + 1); k < n; k++) sum += (weights[k] ?? 0) * (more[n - k] ?? 0)
  return sum
}

function summed(
  { weights, growth, n, sum, weighted }: Weights,
  places: number,
  beyond: readonly number[],
): Finite {
  const width = beyond.length
  const last = weights[n] ?? 0
  const rest = places - 1 - n
  const back = (steps: number): number =>
    steps < rest ? growth ** -steps : ((weights[n - (steps - rest)] ?? 0) / last) * growth ** -rest
  // what is full, in units of what has one place left
  let full = places - 1 < width ? ((weights[0] ?? 0) / last) * (beyond[places - 1] ?? 0) : 0
  for (let j = 1; j < Math.min(places, width); j++) full += back(j - 1) * (beyond[j] ?? 0)
  if (growth <= 1 || rest === 0) {
    const tail = powers(Math.min(1, growth), rest)
    const top = last * growth ** rest * full
    const total = sum + last * tail.sum + top
    const number = weighted + last * (n * tail.sum + tail.weighted) + places * top
    return { loss: top / total, number: number / total }
  }
  const first = growth ** -rest / last
  const tail = powers(1 / growth, rest)
  const [above, under] = [tail.sum * growth, (tail.weighted - tail.sum) * growth]
  const total = sum * first + above + full
  const number = weighted * first + (places - 1) * above - under + places * full
  return { loss: full / total, number: number / total }
}

/** Of arrivals during one service: P(N = 0), P(N > n) for n = 0.., and Σ P(N > i) for i >= n, as far as it counts. */
function during(
  rate: number,
  classes: readonly Share[],
  places: number,
): { none: number; more: number[]; beyond: number[] } {
  const most = Math.max(places, 4000)
  const chances: number[] = []
  for (const { part, mean, scv } of classes)
    if (part > 0)
      arrivalsDuring(rate * mean, scv, most).forEach((chance, n) => {
        chances[n] = (chances[n] ?? 0) + part * chance
      })
  const cut = chances.length > most
  const all = chances.reduce((sum, chance) => sum + chance, 0)
  const more = chances.map(() => 0)
  const beyond = chances.map(() => 0)
  // what lies beyond the chances that are known: nothing, or what is missing to 1 and to the mean
  let above = cut ? Math.max(0, 1 - all) : 0
  for (let n = chances.length - 1; n >= 0; n--) {
    more[n] = above
    above += chances[n] ?? 0
  }
  const mean = rate * classes.reduce((sum, share) => sum + share.part * share.mean, 0)
  let sum = cut ? Math.max(0, mean - more.reduce((total, part) => total + part, 0)) : 0
  for (let n = chances.length - 1; n >= 0; n--) {
    sum += more[n] ?? 0
    beyond[n] = sum
  }
  return { none: chances[0] ?? 0, more, beyond }
}

/** P(n arrivals during one service), n = 0.., at most up to `most` and as far as it counts; `load` = λE[S]. */
function arrivalsDuring(load: number, scv: number, most: number): number[] {
  const mixed = (part: number, one: readonly number[], other: readonly number[]) =>
    (one.length > other.length ? one : other).map(
      (_, n) => part * (one[n] ?? 0) + (1 - part) * (other[n] ?? 0),
    )
  const fit = fitted(scv)
  if (fit.kind === 'constant') return poisson(load, most)
  if (fit.kind === 'hyperexponential')
    return mixed(
      fit.part,
      negativeBinomial(1, load / (2 * fit.part), most),
      negativeBinomial(1, load / (2 * fit.rest), most),
    )
  const { phases, part, phase } = fit
  const longer = negativeBinomial(phases, load * phase, most)
  return part === 0 ? longer : mixed(part, negativeBinomial(phases - 1, load * phase, most), longer)
}

const poisson = (mean: number, most: number): number[] => chancesFrom(-mean, (n) => mean / (n + 1), most)

/** Poisson arrivals during an Erlang service of `phases`, each of mean load `phase`. */
function negativeBinomial(phases: number, phase: number, most: number): number[] {
  const stay = phase / (1 + phase)
  return chancesFrom(-phases * Math.log1p(phase), (n) => (stay * (n + phases)) / (n + 1), most)
}

/** Chances by the logarithm of the first and what each is of the one before: the first may be too small for a number. */
function chancesFrom(first: number, ratio: (n: number) => number, most: number): number[] {
  const chances: number[] = []
  let logarithm = first
  for (let n = 0; n <= most; n++) {
    const [chance, next] = [Math.exp(logarithm), ratio(n)]
    chances.push(chance)
    if (next < 1 && chance < slight * (1 - next)) break
    logarithm += Math.log(next)
  }
  return chances
}
