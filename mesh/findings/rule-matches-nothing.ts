import type { Rule } from './facts.ts'

/** A rule for types that nobody sends to its bus: a name that was changed on one side only. */
export const ruleMatchesNothing: Rule = function* ({ nodes, arriving, node, loaded }) {
  const coming = new Map<string, Set<string>>()
  for (const { node: at, type } of loaded.states)
    if (at.kind === 'bus') coming.set(at.id, (coming.get(at.id) ?? new Set()).add(type))
  // a sender of whatever it got, where it does not come from another bus, is a guess at types
  const guessed = new Set(
    loaded.streams.flatMap(({ element, to }) => {
      const at = loaded.states[to]?.node
      return at?.kind === 'bus' && element.types === null && node(element.from)?.kind !== 'rule'
        ? [at.id]
        : []
    }),
  )
  for (const { id, name, settings } of nodes('rule')) {
    const { types, enabled } = settings
    if (!enabled || types === null || types.length === 0) continue
    const buses = arriving(id, 'delivery').filter(({ from }) => node(from)?.kind === 'bus')
    const known = buses.map(({ from }) => (guessed.has(from) ? undefined : coming.get(from)))
    if (known.length === 0 || known.some((sent) => sent === undefined || sent.has('*'))) continue
    if (known.some((sent) => types.some((type) => sent?.has(type)))) continue
    yield {
      at: id,
      severity: 'medium',
      measured: 0,
      limit: 1,
      unit: 'types',
      says: `${name} waits for ${types.join(', ')}, and none of the ${known.reduce((sum, sent) => sum + (sent?.size ?? 0), 0)} types that come to its bus is one of them.`,
      mend: `Correct the detail-type of ${name}, or delete it.`,
      from: 'template',
    }
  }
}
