import { erlangB } from './erlang.ts'

/** What a station with few places does with Poisson arrivals. */
export type Finite = {
  /** the part of the arrivals that finds no place */
  loss: number
  /** mean number in the station, those in service included */
  number: number
}

/** The service of one class: its part of the arrivals, its mean in seconds and its squared coefficient of variation. */
export type Share = { part: number; mean: number; scv: number }

/**
 * M/M/c/c+N with `waiting` = N places to wait, which need not be whole. Birth and death: p(n) = aⁿ/n! up to c, then
 * times ρ for each that waits. Summed relative to p(c), and above ρ = 1 to p(c+N), so that nothing overflows.
 */
export function manyServers(servers: number, offered: number, waiting: number): Finite {
  if (offered === 0) return { loss: 0, number: 0 }
  const rho = offered / servers
  // B(c) = p(c) / Σ p(0..c): the sum below and at c, in units of p(c)
  const blocked = erlangB(servers, offered)
  if (blocked < 1e-250) return { loss: 0, number: offered }
  const below = 1 / blocked
  const meanBelow = offered * (below - 1)
  const { sum, weighted, last, scale } = tail(rho, waiting)
  const total = below * scale + sum
  // Σ n p(n) for n <= c is a Σ p(n) for n < c, as n aⁿ/n! = a aⁿ⁻¹/(n-1)!
  const number = (meanBelow * scale + servers * sum + weighted) / total
  return { loss: last / total, number }
}

/**
 * Σ ρʲ and Σ jρʲ for j = 1..N, and the last ρᴺ, all times `scale`, which is ρ⁻ᴺ above 1; for an N that is not whole, the closed
 * forms go on between.
 */
function tail(rho: number, waiting: number): { sum: number; weighted: number; last: number; scale: number } {
  if (Math.abs(1 - rho) < 1e-6)
    return { sum: waiting, weighted: (waiting * (waiting + 1)) / 2, last: rho ** waiting, scale: 1 }
  const [scale, last] = rho > 1 ? [rho ** -waiting, 1] : [1, rho ** waiting]
  const sum = (rho * (scale - last)) / (1 - rho)
  const weighted = (rho * (scale - (waiting + 1) * last + waiting * last * rho)) / (1 - rho) ** 2
  return { sum, weighted, last, scale }
}

/**
 * M/G/1/1+N by the chain embedded at departures (Gross and Harris, ch. 5): exact for services that are a fit of two
 * moments each (`arrivalsDuring`), also when classes differ. `rate`: arrivals per second, of all classes.
 */
export function oneServer(rate: number, classes: readonly Share[], waiting: number): Finite {
  const places = waiting + 1
  const rho = rate * classes.reduce((sum, { part, mean }) => sum + part * mean, 0)
  if (rho === 0) return { loss: 0, number: 0 }
  // never idle to sixteen places
  if (rho > 40) return { loss: 1 - 1 / rho, number: places }
  const during = mixture(rate, classes, places)
  // left behind by a departure: 0..K-1; x(0) = 1, the rest from the balance of each level
  let left: number[] = [1]
  for (let n = 0; n + 1 < places; n++) {
    let inflow = (left[n] ?? 0) - (left[0] ?? 0) * (during[n] ?? 0)
    for (let k = 1; k <= n; k++) inflow -= (left[k] ?? 0) * (during[n - k + 1] ?? 0)
    const next = Math.max(0, inflow / (during[0] ?? 1))
    left.push(next)
    if (next > 1e200) left = left.map((weight) => weight / next)
  }
  const sum = left.reduce((total, weight) => total + weight, 0)
  const empty = (left[0] ?? 0) / sum
  // of all arrivals, those that enter see what departures leave: p(n) = π(n) / (π(0) + ρ)
  const scale = 1 / (empty + rho)
  const loss = Math.max(0, 1 - scale)
  const number = left.reduce((total, weight, n) => total + (n * weight * scale) / sum, 0) + places * loss
  return { loss, number }
}

function mixture(rate: number, classes: readonly Share[], most: number): number[] {
  const sum = Array.from({ length: most + 1 }, () => 0)
  for (const { part, mean, scv } of classes)
    arrivalsDuring(rate * mean, scv, most).forEach((chance, n) => {
      sum[n] = (sum[n] ?? 0) + part * chance
    })
  return sum
}

/**
 * P(n arrivals during one service), n = 0..most; `load` = λE[S]. The service is fitted to two moments (Tijms 1994,
 * ch. 5): constant for scv 0, a mixture of two Erlang below 1, exponential at 1, two exponentials with balanced means above.
 */
export function arrivalsDuring(load: number, scv: number, most: number): number[] {
  if (load === 0) return [1, ...Array.from({ length: most }, () => 0)]
  if (scv < 1 / 500) return poisson(load, most)
  if (scv > 1) {
    const part = (1 + Math.sqrt((scv - 1) / (scv + 1))) / 2
    const first = negativeBinomial(1, load / (2 * part), most)
    const second = negativeBinomial(1, load / (2 * (1 - part)), most)
    return first.map((chance, n) => part * chance + (1 - part) * (second[n] ?? 0))
  }
  const k = Math.ceil(1 / scv - 1e-9)
  if (k === 1) return negativeBinomial(1, load, most)
  const part = (k * scv - Math.sqrt(k * (1 + scv) - k * k * scv)) / (1 + scv)
  const phase = load / (k - part)
  const shorter = negativeBinomial(k - 1, phase, most)
  const longer = negativeBinomial(k, phase, most)
  return shorter.map((chance, n) => part * chance + (1 - part) * (longer[n] ?? 0))
}

function poisson(mean: number, most: number): number[] {
  const chances = [Math.exp(-mean)]
  for (let n = 1; n <= most; n++) chances.push(((chances[n - 1] ?? 0) * mean) / n)
  return chances
}

/** Poisson arrivals during an Erlang service of `phases`, each of mean load `phase`. */
function negativeBinomial(phases: number, phase: number, most: number): number[] {
  const stay = phase / (1 + phase)
  const chances = [(1 + phase) ** -phases]
  for (let n = 1; n <= most; n++) chances.push(((chances[n - 1] ?? 0) * stay * (n + phases - 1)) / n)
  return chances
}
