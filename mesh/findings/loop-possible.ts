import { components } from '../linear/components.ts'
import { isAsked } from '../load.ts'
import type { Rule } from './facts.ts'

/**
 * Ways that may lead back to where they began, as often as nobody has said: what a function may write, such as by its
 * permissions, into what runs it.
 */
export const loopPossible: Rule = function* ({ loaded: { states, streams }, rates }) {
  const next = states.map((): number[] => [])
  const carrying = streams.filter(({ element }) => !isAsked(element))
  for (const { from, to } of carrying) next[from]?.push(to)
  const unsaid = Map.groupBy(
    carrying.filter(({ gain }) => gain === null),
    ({ from }) => from,
  )
  const lasting = new Set(rates.loops.flatMap(({ members }) => members))
  const told = new Set<string>()
  for (const members of components(next)) {
    const inside = new Set(members)
    const open = members.flatMap((member) => (unsaid.get(member) ?? []).filter(({ to }) => inside.has(to)))
    if (open.length === 0 || members.some((member) => lasting.has(member))) continue
    const nodes = new Map(
      members.flatMap((member) => {
        const node = states[member]?.node
        return node === undefined ? [] : [[node.id, node]]
      }),
    )
    const [first] = [...nodes.keys()].toSorted()
    const key = [...nodes.keys()].toSorted().join()
    if (first === undefined || told.has(key)) continue
    told.add(key)
    const names = [...nodes.values()].map(({ name }) => name).toSorted()
    const ways = [
      ...new Set(
        open.map(({ element }) => `${nodes.get(element.from)?.name} → ${nodes.get(element.to)?.name}`),
      ),
    ].toSorted()
    yield {
      at: first,
      severity: 'low',
      measured: ways.length,
      limit: 0,
      unit: 'ways nobody has counted',
      says: `${names.join(', ')} may feed each other: nobody has said how much goes ${ways.join(', ')}. From 1 for each that goes round on, the loop never ends.`,
      mend: `Say how much goes there (sends in the file of rates, or Metadata.mesh), 0 if nothing does; take away the permission if the code does not need it.`,
      from: 'template',
    }
  }
}
