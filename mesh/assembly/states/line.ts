import { components } from '../../linear/components.ts'
import { dominators, properDominators } from '../../linear/dominators.ts'
import { at, type Json, listOf, textOf } from '../json.ts'

/** What lies on the way from the start of a definition to one of its states, or to its end. */
type Line = {
  /** states that every run passes before it, in their order */
  certain: string[]
  /** states that take time and may run before it, nobody knows whether or how often: a Choice, a loop or an error decides */
  unsure: string[]
}

const takesTime: ReadonlySet<string> = new Set(['Task', 'Wait', 'Parallel', 'Map'])

/** Where a state may go on when nothing fails. */
export function nextOf(state: Json): string[] {
  const choices = listOf(at(state, 'Choices')).map((choice) => textOf(at(choice, 'Next')))
  return [textOf(at(state, 'Next')), textOf(at(state, 'Default')), ...choices].filter(
    (next) => next !== undefined,
  )
}

/**
 * By the name of a state, null for the end of a run that goes well: the dominators, of which nothing but the way that leads
 * there when nothing fails is asked. Errors are followed only to what nothing else leads to; what leads there by an error may
 * have failed at once, and is unsure.
 */
export function linesOf(
  states: ReadonlyMap<string, Json>,
  start: string,
): (name: string | null) => Line | undefined {
  const names = [...states.keys()]
  const places = new Map(names.map((name, place) => [name, place]))
  const end = names.length
  const root = places.get(start)
  const edges = (to: (state: Json) => readonly string[]): number[][] => [
    ...[...states.values()].map((state) => to(state).flatMap((name) => places.get(name) ?? [])),
    [],
  ]
  const well = edges(nextOf)
  const caught = edges((state) =>
    listOf(at(state, 'Catch')).flatMap((each) => textOf(at(each, 'Next')) ?? []),
  )
  const all = well.map((next, place) => [...next, ...(caught[place] ?? [])])
  const typeOf = (place: number) => textOf(at(states.get(names[place] ?? ''), 'Type')) ?? ''
  const leaves = [...names.keys()].filter((place) => well[place]?.length === 0)
  const good = leaves.filter((place) => typeOf(place) !== 'Fail')
  for (const place of good.length > 0 ? good : leaves) {
    well[place]?.push(end)
    all[place]?.push(end)
  }
  if (root === undefined) return () => undefined
  const dominatedWell = dominators(well, root)
  const dominated = dominators(all, root)
  return (name) => {
    const to = name === null ? end : (places.get(name) ?? -1)
    const goesWell = to === root || dominatedWell.has(to)
    if (!goesWell && !dominated.has(to)) return undefined
    const [next, by] = goesWell ? [well, dominatedWell] : [all, dominated]
    const passed = to === root ? [] : [...properDominators(by, to, root), root]
    const mayFail = (place: number) => !goesWell && reach(all, caught[place] ?? [], place).has(to)
    const failed = new Set(passed.filter(mayFail))
    const certain = new Set(passed.toReversed().filter((place) => !failed.has(place)))
    const before = between(next, root, to)
    const again = repeated(next, before)
    const unsure = [...before].filter(
      (place) => takesTime.has(typeOf(place)) && (!certain.has(place) || again.has(place)),
    )
    const named = (some: Iterable<number>) => Array.from(some, (place) => names[place] ?? '')
    return { certain: named(certain), unsure: named(unsure) }
  }
}

function reach(next: readonly (readonly number[])[], from: readonly number[], without = -1): Set<number> {
  const seen = new Set<number>()
  const open = from.filter((place) => place !== without)
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (seen.has(place)) continue
    seen.add(place)
    open.push(...(next[place] ?? []).filter((to) => to !== without))
  }
  return seen
}

/** What may be passed before `to` is come to for the first time. */
function between(next: readonly (readonly number[])[], root: number, to: number): ReadonlySet<number> {
  const back = next.map((): number[] => [])
  for (const [from, all] of next.entries()) for (const each of all) back[each]?.push(from)
  const leads = reach(back, back[to] ?? [], to)
  return new Set([...reach(next, [root], to)].filter((place) => leads.has(place)))
}

/** Of these, what lies on a loop among them. */
function repeated(next: readonly (readonly number[])[], among: ReadonlySet<number>): ReadonlySet<number> {
  const inside = next.map((all, from) => (among.has(from) ? all.filter((to) => among.has(to)) : []))
  const loops = components(inside).filter(
    ([first = -1, ...more]) => more.length > 0 || inside[first]?.includes(first),
  )
  return new Set(loops.flat())
}
