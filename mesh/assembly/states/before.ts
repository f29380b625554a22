import type { Before, Step } from '../../model.ts'
import { at, entriesOf, type Json, listOf, textOf } from '../json.ts'
import { linesOf } from './line.ts'

/** How many items of a Map run at once. */
export type AtOnce = (map: Json, processor: Json | undefined) => number

/** What runs before nothing does. */
export const nothing: Before = { steps: [], unknown: [] }

export const processorOf = (map: Json): Json | undefined => at(map, 'ItemProcessor') ?? at(map, 'Iterator')

/** The items of a Map that the definition itself has. */
export function itemsOf(map: Json): number | null {
  const items = at(map, 'Items')
  return Array.isArray(items) && at(map, 'ItemBatcher') === undefined ? items.length : null
}

/** What runs before each state of a definition, and before its end (null), after what runs before all of it. */
export function beforeIn(
  machine: Json | undefined,
  { path, before }: { path: readonly string[]; before: Before },
  atOnce: AtOnce,
): (name: string | null) => Before {
  const states = statesOf(machine)
  const lineOf = linesOf(states, startOf(machine))
  return (name) => {
    const line = lineOf(name)
    // what nothing leads to does not run; an end that nothing leads to is never come to
    if (line === undefined) return name === null ? { ...nothing, unknown: [pathTo(path, 'its end')] } : before
    const certain = line.certain.map((one) => ({ name: one, type: typeOf(states.get(one)) }))
    const last = certain.findLastIndex(({ type }) => type === 'Task')
    const after = certain[last]
    const unknown = new Set(line.unsure.map((one) => pathTo(path, one)))
    const steps = certain.slice(last + 1).flatMap((one) => {
      const taken = passing(states.get(one.name), [...path, one.name], atOnce)
      for (const each of taken.unknown) unknown.add(each)
      return taken.steps
    })
    return after === undefined
      ? {
          ...before,
          steps: [...before.steps, ...steps],
          unknown: [...new Set([...before.unknown, ...unknown])],
        }
      : { after: pathTo(path, after.name), steps, unknown: [...unknown] }
  }
}

/** What one item of a Map waits for beside what comes before the Map: for those that begin before it, on the mean. */
export function turnOf(map: Json, path: readonly string[], atOnce: AtOnce): Before {
  const processor = processorOf(map)
  const [items, most] = [itemsOf(map), atOnceOf(map, processor, atOnce)]
  if (items !== null && items <= (most ?? 1)) return nothing
  const each = wholeOf(processor, path, atOnce)
  if (items === null || most === null) return { steps: [], unknown: [path.join('/')] }
  const turns = Array.from({ length: items }, (_, item) => Math.floor(item / most))
  const times = turns.reduce((sum, turn) => sum + turn) / items
  return { steps: [{ times, steps: each.steps }], unknown: each.unknown }
}

const typeOf = (state: Json | undefined): string => textOf(at(state, 'Type')) ?? ''
const pathTo = (path: readonly string[], name: string): string => [...path, name].join('/')
export const startOf = (machine: Json | undefined): string => textOf(at(machine, 'StartAt')) ?? ''
export const statesOf = (machine: Json | undefined): Map<string, Json> =>
  new Map(entriesOf(at(machine, 'States')))

/** What one state takes that is passed. */
function passing(state: Json | undefined, path: readonly string[], atOnce: AtOnce): Before {
  if (state === undefined) return nothing
  switch (typeOf(state)) {
    case 'Task':
      return { steps: [{ task: path.join('/') }], unknown: [] }
    case 'Wait': {
      const seconds = at(state, 'Seconds')
      return typeof seconds === 'number'
        ? { steps: [{ seconds }], unknown: [] }
        : { steps: [], unknown: [path.join('/')] }
    }
    case 'Parallel': {
      const branches = listOf(at(state, 'Branches')).map((branch) => wholeOf(branch, path, atOnce))
      const longest = branches.map(({ steps }) => steps).filter((steps) => steps.length > 0)
      return {
        steps: longest.length === 0 ? [] : [{ longest }],
        unknown: branches.flatMap(({ unknown }) => unknown),
      }
    }
    case 'Map': {
      const processor = processorOf(state)
      const [items, most] = [itemsOf(state), atOnceOf(state, processor, atOnce)]
      if (items === 0) return nothing
      if (items === null || (most === null && items > 1)) return { steps: [], unknown: [path.join('/')] }
      const each = wholeOf(processor, path, atOnce)
      return { ...each, steps: [{ times: Math.ceil(items / (most ?? 1)), steps: each.steps }] }
    }
    default:
      return nothing
  }
}

/** From the start to the end of a definition inside another. */
function wholeOf(machine: Json | undefined, path: readonly string[], atOnce: AtOnce): Before {
  const states = statesOf(machine)
  const line = linesOf(states, startOf(machine))(null)
  if (line === undefined) return { steps: [], unknown: [path.join('/')] }
  const all = line.certain.map((name) => passing(states.get(name), [...path, name], atOnce))
  return {
    steps: all.flatMap(({ steps }): Step[] => steps),
    unknown: [
      ...new Set([...line.unsure.map((one) => pathTo(path, one)), ...all.flatMap(({ unknown }) => unknown)]),
    ],
  }
}

/** null: only the run knows. */
function atOnceOf(map: Json, processor: Json | undefined, atOnce: AtOnce): number | null {
  const isGiven = at(map, 'MaxConcurrencyPath') !== undefined || typeof at(map, 'MaxConcurrency') === 'string'
  return isGiven ? null : atOnce(map, processor)
}
