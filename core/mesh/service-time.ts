/** Invocations with so many messages each: how long they took on the mean, and of how many that is the mean. */
export type Timed = { messages: number; ms: number; count: number }

const sumOver = (all: readonly Timed[], of: (one: Timed) => number): number =>
  all.reduce((sum, one) => sum + one.count * of(one), 0)

/**
 * What each message takes of an invocation, milliseconds: the slope of the line through all of them (least squares),
 * between nothing and all. undefined: twice its standard error is more than a quarter of what lies between, or all had
 * as many.
 */
export function eachOf(all: readonly Timed[]): number | undefined {
  const count = sumOver(all, () => 1)
  if (all.length < 3) return undefined
  const messages = sumOver(all, (one) => one.messages) / count
  const ms = sumOver(all, (one) => one.ms) / count
  const spread = sumOver(all, (one) => (one.messages - messages) ** 2)
  if (messages <= 0 || spread <= 1e-9 * count * messages ** 2) return undefined
  const slope = sumOver(all, (one) => (one.messages - messages) * (one.ms - ms)) / spread
  const off = (one: Timed): number => one.ms - ms - slope * (one.messages - messages)
  const error = Math.sqrt(sumOver(all, (one) => off(one) ** 2) / spread / (all.length - 2))
  return 2 * error > ms / messages / 4 ? undefined : Math.min(ms / messages, Math.max(0, slope))
}
