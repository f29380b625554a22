/** A batch that is gathered: its mean, and the mean of that which one of its messages finds itself in, E[n²]/E[n]. */
export type Gathered = { batch: number; seen: number }

/**
 * From the first message on for `window` seconds, or until there are `most`. Of Poisson arrivals N come in the window, so
 * the mean batch is 1 + ΣP(N ≥ k), k = 1 … b - 1.
 */
export function gathered(rate: number, window: number, most: number): Gathered {
  if (window === 0 || most <= 1 || rate === 0) return { batch: 1, seen: 1 }
  const { size, come } = during(rate, window, most)
  const comes = come(window)
  let [batch, square] = [0, 0]
  for (let k = 0; k < size; k++) {
    const more = comes[k] ?? 0
    batch += more
    square += (2 * k + 1) * more
  }
  return { batch, seen: square / batch }
}

const steps = 24

/**
 * How long a message waits for its batch: so many seconds, each with its probability. The first waits all of the window,
 * or until the batch is full. The k-th comes with k - 1 more after the first and waits more than u < w when b - k more have
 * not come by then, both by themselves: P(wait > u) = ΣP(N(w - u) ≥ k - 1)·P(N(u) < b - k)/batch, k = 1 … b - 1. Told apart in
 * steps, and brought to the mean, which is Σk·P(N(w) ≥ k)/(λ·batch).
 */
export function gathering(rate: number, window: number, most: number): { seconds: number; chance: number }[] {
  if (window === 0 || most <= 1) return [{ seconds: 0, chance: 1 }]
  if (rate === 0) return [{ seconds: window, chance: 1 }]
  const { batch } = gathered(rate, window, most)
  const { size, come } = during(rate, window, most)
  const longer = (than: number): number => {
    const [before, after] = [come(Math.max(0, window - than)), come(than)]
    let sum = 0
    for (let k = 1; k < size; k++) sum += (before[k - 1] ?? 0) * (1 - (after[size - k] ?? 0))
    return Math.min(1, sum / batch)
  }
  // nobody waits longer than the rest of a batch takes to come
  const longest = Math.min(window, (size + 5 * Math.sqrt(size) + 4) / rate)
  const chances = Array.from({ length: steps + 1 }, (_, step) => longer((step * longest) / steps))
  const [first = 0, last = 0] = [chances[0], chances.at(-1)]
  const between = chances.slice(1).map((chance, step) => ({
    seconds: ((step + 0.5) * longest) / steps,
    chance: Math.max(0, (chances[step] ?? 0) - chance),
  }))
  const waited = come(window).reduce((sum, more, k) => (k < size ? sum + (k * more) / rate : sum), 0)
  const mean = between.reduce((sum, { seconds, chance }) => sum + seconds * chance, 0)
  const off = mean === 0 ? 1 : (waited / batch - last * longest) / mean
  return [
    { seconds: 0, chance: 1 - first },
    ...between.map(({ seconds, chance }) => ({ seconds: Math.min(longest, seconds * off), chance })),
    { seconds: longest, chance: last },
  ]
}

/** Messages that a batch may have, as far as so many may come, and P(N ≥ k) of those that come in some seconds. */
function during(rate: number, window: number, most: number) {
  const expected = rate * window
  const size = Math.ceil(Math.min(most, expected + 10 * Math.sqrt(expected) + 20))
  const come = (seconds: number): Float64Array => {
    const mean = rate * seconds
    const all = new Float64Array(size + 1)
    let [below, log] = [0, -mean]
    for (let k = 0; k <= size; k++) {
      all[k] = Math.max(0, 1 - below)
      below += Math.exp(log)
      log += Math.log(mean / (k + 1))
    }
    return all
  }
  return { size, come }
}
