/**
 * The probability that an arrival finds all servers busy and is lost: M/G/c/c, whatever the service's distribution.
 * `offered` is the load a = λE[S] in erlangs. By 1/B = Σ c!/((c-k)! aᵏ), k = 0..c (A. K. Erlang 1917), which ends when the
 * rest does not count: the terms grow or shrink fast but for a near c. Below 1e-16 it is 0.
 */
export function erlangB(servers: number, offered: number): number {
  if (offered === 0) return 0
  let [sum, term] = [1, 1]
  for (let k = 0; k < servers; k++) {
    term *= (servers - k) / offered
    sum += term
    if (term > 1e16) return 0
    if (term < 1e-16 * sum) break
  }
  return 1 / sum
}

/**
 * The probability that an arrival has to wait in M/M/c, C = B / (1 - ρ(1 - B)); `offered` in erlangs. 1 from the
 * capacity on, where all wait and the queue grows.
 */
export function erlangC(servers: number, offered: number): number {
  const utilisation = offered / servers
  if (utilisation >= 1) return 1
  const blocked = erlangB(servers, offered)
  return blocked / (1 - utilisation * (1 - blocked))
}
