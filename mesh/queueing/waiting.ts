import { erlangC } from './erlang.ts'

/**
 * Mean and variance of the wait in M/G/c, seconds; null when the queue grows without end. Who waits, waits exponentially
 * (exact for M/M/c), scaled by (1 + cs²)/2 (Lee and Longton 1959).
 */
export function waiting(
  servers: number,
  rate: number,
  { mean, scv }: { mean: number; scv: number },
): { mean: number; variance: number } | null {
  const offered = rate * mean
  if (offered >= servers) return null
  if (offered === 0) return { mean: 0, variance: 0 }
  const waits = erlangC(servers, offered)
  const scale = (((1 + scv) / 2) * mean) / (servers - offered)
  return { mean: waits * scale, variance: waits * (2 - waits) * scale ** 2 }
}
