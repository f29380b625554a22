/** One difference: a JSON pointer (RFC 6901), and what stood there; `before` or `after` is absent where nothing did. */
export type Change = { path: string; before?: unknown; after?: unknown }

/** Characters of a text that are shown; what was changed behind them still counts as a difference. */
const longest = 200

/**
 * What differs between two JSON values, leaf by leaf, in the order of their members. Long texts are cut: this is for
 * people and for the books, and cannot be applied.
 */
export const changesBetween = (before: unknown, after: unknown): Change[] =>
  wholeChangesBetween(before, after).map((change) => ({
    path: change.path,
    ...('before' in change ? { before: shown(change.before) } : {}),
    ...('after' in change ? { after: shown(change.after) } : {}),
  }))

/** The same, and nothing is cut. */
export function wholeChangesBetween(before: unknown, after: unknown, path = ''): Change[] {
  if (Object.is(before, after)) return []
  const [was, is] = [membersOf(before), membersOf(after)]
  const goesDown =
    (was !== undefined || is !== undefined) &&
    (was !== undefined || before === undefined) &&
    (is !== undefined || after === undefined) &&
    (was === undefined || is === undefined || Array.isArray(before) === Array.isArray(after))
  if (!goesDown) return [leaf(path, before, after)]
  const names = [...new Set([...(was?.keys() ?? []), ...(is?.keys() ?? [])])]
  const isAlone = was === undefined || is === undefined
  if (names.length === 0) return isAlone ? [leaf(path, before, after)] : []
  return names.flatMap((name) =>
    wholeChangesBetween(was?.get(name), is?.get(name), `${path}/${escaped(name)}`),
  )
}

/** A map, because a member may be called like a method of every object. */
const membersOf = (value: unknown): ReadonlyMap<string, unknown> | undefined =>
  value !== null && typeof value === 'object' ? new Map(Object.entries(value)) : undefined

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

const leaf = (path: string, before: unknown, after: unknown): Change => ({
  path,
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
})

function shown(value: unknown): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > longest ? `${text.slice(0, longest - 1).toWellFormed()}…` : value
}
