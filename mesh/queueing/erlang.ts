/**
 * The probability that an arrival finds all servers busy and is lost: M/G/c/c, whatever the service's distribution.
 * `offered` is the load λE[S] in erlangs. By the recursion B(n) = aB(n-1) / (n + aB(n-1)), which overflows nowhere
 * (A. K. Erlang 1917; Jagerman 1974).
 */
export function erlangB(servers: number, offered: number): number {
  if (offered === 0) return 0
  let blocked = 1
  for (let n = 1; n <= servers; n++) blocked = (offered * blocked) / (n + offered * blocked)
  return blocked
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
