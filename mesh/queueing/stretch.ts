import { beside, columnsOf, type Matrix, plus, solved, times } from './matrices.ts'

/**
 * A stretch of like levels of a chain: who enters at its lower or its upper end, by the state in which it enters, leaves it
 * below or above in which state; and how long that takes and how many levels above the first, times seconds.
 */
type Stretch = {
  levels: number
  fromBelow: { down: Matrix; up: Matrix; rewards: Matrix }
  fromAbove: { down: Matrix; up: Matrix; rewards: Matrix }
}

/** One level, by its rates down, within (less what leaves, on the diagonal) and up. */
export function oneLevel(down: Matrix, within: Matrix, up: Matrix): Stretch {
  const size = down.length
  const held = within.map((row) => row.map((value) => -value))
  const second = Array.from({ length: size }, () => Float64Array.of(1, 0))
  const all = solved(held, beside(down, up, second))
  const passing = {
    down: columnsOf(all, 0, size),
    up: columnsOf(all, size, 2 * size),
    rewards: columnsOf(all, 2 * size),
  }
  return { levels: 1, fromBelow: passing, fromAbove: passing }
}

/** `count` such levels, one or more, by doubling. */
export function levelsOf(level: Stretch, count: number): Stretch {
  let half = level
  let all: Stretch | undefined
  for (let left = count; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) all = all === undefined ? half : joined(all, half)
    if (left > 1) half = joined(half, half)
  }
  return all ?? level
}

/** One stretch and another above it: between them somebody may go to and fro, which sums up to an inverse. */
function joined(lower: Stretch, upper: Stretch): Stretch {
  const size = lower.fromBelow.down.length
  const raised = (rewards: Matrix) => raisedBy(rewards, lower.levels)
  const [inLower, inUpper] = [lower.fromAbove, upper.fromBelow]
  const [lowerRewards, upperRewards] = [inLower.rewards, raised(inUpper.rewards)]
  // entered the upper one from below: what becomes of it in the end
  const upwards = returning(times(inUpper.down, inLower.up), [
    times(inUpper.down, inLower.down),
    inUpper.up,
    plus(upperRewards, times(inUpper.down, lowerRewards)),
  ])
  const downwards = returning(times(inLower.up, inUpper.down), [
    inLower.down,
    times(inLower.up, inUpper.up),
    plus(lowerRewards, times(inLower.up, upperRewards)),
  ])
  const after = (passing: Matrix, ends: Matrix, part: 0 | 1 | 2): Matrix =>
    times(passing, columnsOf(ends, part * size, part === 2 ? undefined : (part + 1) * size))
  return {
    levels: lower.levels + upper.levels,
    fromBelow: {
      down: plus(lower.fromBelow.down, after(lower.fromBelow.up, upwards, 0)),
      up: after(lower.fromBelow.up, upwards, 1),
      rewards: plus(lower.fromBelow.rewards, after(lower.fromBelow.up, upwards, 2)),
    },
    fromAbove: {
      down: after(upper.fromAbove.down, downwards, 0),
      up: plus(upper.fromAbove.up, after(upper.fromAbove.down, downwards, 1)),
      rewards: plus(raised(upper.fromAbove.rewards), after(upper.fromAbove.down, downwards, 2)),
    },
  }
}

/** (I - round)⁻¹ of all the parts, side by side. */
const returning = (round: Matrix, parts: readonly Matrix[]): Matrix =>
  solved(
    round.map((row, i) => row.map((value, j) => (i === j ? 1 : 0) - value)),
    beside(...parts),
  )

/** Seconds and levels times seconds, as seen from so many levels below. */
export const raisedBy = (rewards: Matrix, levels: number): Matrix =>
  rewards.map(([seconds = 0, weighted = 0]) => Float64Array.of(seconds, weighted + levels * seconds))
