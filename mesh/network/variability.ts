import { type System, solve } from '../linear/solve.ts'

/** A node as the variability of its departures sees it. */
export type Through = {
  utilisation: number
  servers: number
  /** the part of what comes that is served, not turned away */
  kept: number
  /** squared coefficient of variation of the service of whoever comes next */
  serviceScv: number
}

/** Per second: what comes to each node from outside, each stream with its variability, and from each other node. */
type Streams = {
  external: readonly (readonly { rate: number; scv: number }[])[]
  /** internal[i][j]: from i to j */
  internal: readonly (readonly { to: number; rate: number }[])[]
}

/**
 * The squared coefficient of variation of the time between arrivals at each node: the Queueing Network Analyzer (Whitt
 * 1983, eqs. 24 to 44). Poisson streams and exponential services give 1 everywhere where nothing is turned away. Where the
 * part q is, departures are 2q(1 - ρ) steadier, ρ being what is busy: exact for one server and Poisson arrivals, for after
 * each service there is either the next or the time to the next arrival.
 */
export function arrivalVariability(nodes: readonly Through[], { external, internal }: Streams): number[] {
  const arriving = external.map((streams) => streams.reduce((sum, { rate }) => sum + rate, 0))
  const leaving = nodes.map(() => 0)
  internal.forEach((streams, i) => {
    for (const { to, rate } of streams) {
      arriving[to] = (arriving[to] ?? 0) + rate
      leaving[i] = (leaving[i] ?? 0) + rate
    }
  })
  const into = nodes.map((): { from: number; part: number; split: number }[] => [])
  internal.forEach((streams, from) => {
    for (const { to, rate } of streams) {
      const { kept = 1 } = nodes[from] ?? {}
      const served = Math.max(leaving[from] ?? 0, (arriving[from] ?? 0) * kept)
      into[to]?.push({ from, part: rate / (arriving[to] || 1), split: served === 0 ? 0 : rate / served })
    }
  })
  const loads: number[] = []
  const system: System = nodes.map(({ utilisation }, j) => {
    const outside = (external[j] ?? []).map(({ rate, scv }) => ({ part: rate / (arriving[j] || 1), scv }))
    const streams = into[j] ?? []
    const squares = [...outside, ...streams].reduce((sum, { part }) => sum + part ** 2, 0)
    const rho = Math.min(1, utilisation)
    const weight = squares === 0 ? 1 : 1 / (1 + 4 * (1 - rho) ** 2 * (1 / squares - 1))
    const row = new Map([[j, 1]])
    const coming = outside.reduce((sum, { part, scv }) => sum + part * scv, 0)
    let load = 1 + weight * (coming - (squares === 0 ? 0 : 1))
    for (const { from, part, split } of streams) {
      const { utilisation: busy = 0, servers = 1, kept = 1, serviceScv = 1 } = nodes[from] ?? {}
      const square = Math.min(1, busy) ** 2
      const departing = 1 + (Math.max(serviceScv, 0.2) - 1) / Math.sqrt(servers)
      const steadier = (2 * (1 - kept) * (1 - Math.min(1, busy))) / Math.sqrt(servers)
      load += weight * part * (1 - split + split * (square * departing - steadier))
      row.set(from, (row.get(from) ?? 0) - weight * part * split * (1 - square))
    }
    loads.push(load)
    return row
  })
  return solve(system, loads).values.map((value) => Math.max(0, value))
}
