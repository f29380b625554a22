/** Entries that were refused alike: for one reason, of one type, with the first fault at one place. */
export type QuarantineGroup = {
  reason: string
  type: string
  path: string
  /** as the newest of them has it */
  expected: string
  count: number
  /** when the first and the last came */
  first: string
  last: string
  /** of the newest few */
  digests: string[]
}

const mostDigests = 3
/** Adds up groups of slices, the newer first; the largest comes first. */
export function mergedGroups(
  a: readonly QuarantineGroup[],
  b: readonly QuarantineGroup[],
): QuarantineGroup[] {
  const merged = new Map<string, QuarantineGroup>()
  for (const group of [...a, ...b]) {
    const key = JSON.stringify([group.reason, group.type, group.path])
    const known = merged.get(key)
    merged.set(
      key,
      known === undefined
        ? group
        : {
            ...known,
            count: known.count + group.count,
            first: known.first < group.first ? known.first : group.first,
            last: known.last > group.last ? known.last : group.last,
            digests: [...known.digests, ...group.digests].slice(0, mostDigests),
          },
    )
  }
  return [...merged.values()].sort((one, other) => other.count - one.count)
}

/** What tells one refusal from another: the same reason, at the same place, for the same want. */
export const refusalText = ({
  reason = '',
  faults = [],
}: {
  reason?: string | undefined
  faults?: readonly { path: string; expected: string }[] | undefined
}): string => {
  const [first] = faults
  return first === undefined ? reason : `${reason}: ${first.path}: expected ${first.expected}`
}
