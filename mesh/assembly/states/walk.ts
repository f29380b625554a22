import type { Before } from '../../model.ts'
import { at, entriesOf, isRecord, type Json, listOf, textOf } from '../json.ts'
import { type AtOnce, beforeIn, itemsOf, nothing, processorOf, startOf, statesOf, turnOf } from './before.ts'
import { nextOf } from './line.ts'

/** A Task of a state machine, in whatever it lies. */
export type Task = {
  /** the states around it, then its own name */
  path: string[]
  state: Json
  /** runs in one run of the machine; null: a Choice, a loop, an error or the input decides */
  times: number | null
  /** at once in one run */
  concurrency: number
  /** what has run before it in every run that comes to it */
  before: Before
}

type Around = Omit<Task, 'state'>
export type Limits = { inline: number; distributed: number }

/** All Tasks of a definition, also those in the branches of Parallels and the processors of Maps. */
export function tasksIn(definition: Json, limits: Limits): Task[] {
  return [...walk(definition, { path: [], times: 1, concurrency: 1, before: nothing }, atOnce(limits))]
}

/** What runs from the start of a definition to its end. */
export const runOf = (definition: Json, limits: Limits): Before =>
  beforeIn(definition, { path: [], before: nothing }, atOnce(limits))(null)

function* walk(machine: Json | undefined, around: Around, most: AtOnce): Generator<Task> {
  const states = statesOf(machine)
  const sure = onEveryPath(states, startOf(machine))
  const beforeOf = beforeIn(machine, around, most)
  for (const [name, state] of states) {
    const here = {
      path: [...around.path, name],
      times: sure.has(name) ? around.times : null,
      concurrency: around.concurrency,
      before: beforeOf(name),
    }
    switch (textOf(at(state, 'Type'))) {
      case 'Task':
        yield { ...here, state }
        break
      case 'Parallel':
        for (const branch of listOf(at(state, 'Branches'))) yield* walk(branch, here, most)
        break
      case 'Map': {
        const processor = processorOf(state)
        const count = itemsOf(state)
        const times = here.times === null || count === null ? null : here.times * count
        const concurrency = here.concurrency * most(state, processor)
        const { steps, unknown } = turnOf(state, here.path, most)
        const before = {
          ...here.before,
          steps: [...here.before.steps, ...steps],
          unknown: [...new Set([...here.before.unknown, ...unknown])],
        }
        yield* walk(processor, { ...here, times, concurrency, before }, most)
        break
      }
    }
  }
}

/** 0, or nothing, is as many as the service allows; so is what the input says. */
const atOnce =
  ({ inline, distributed }: Limits): AtOnce =>
  (state, processor) => {
    const most = at(processor, 'ProcessorConfig', 'Mode') === 'DISTRIBUTED' ? distributed : inline
    const own = at(state, 'MaxConcurrency')
    return typeof own === 'number' && own > 0 ? Math.min(own, most) : most
  }

/** States that each run goes through exactly once: without them no end can be reached, and nothing leads back to them. */
function onEveryPath(states: ReadonlyMap<string, Json>, start: string): Set<string> {
  const reach = (from: readonly string[], without?: string): Set<string> => {
    const seen = new Set<string>()
    const open = from.filter((name) => name !== without)
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const state = states.get(name)
      if (seen.has(name) || state === undefined) continue
      seen.add(name)
      open.push(...nextOf(state).filter((next) => next !== without))
    }
    return seen
  }
  const isEnd = (name: string) => nextOf(states.get(name) ?? null).length === 0
  const all = reach([start])
  return new Set(
    [...all].filter((name) => {
      const ends = [...reach([start], name)].some(isEnd)
      const again = reach(nextOf(states.get(name) ?? null)).has(name)
      return !ends && !again
    }),
  )
}

export const isDefinition = (value: Json): boolean =>
  isRecord(at(value, 'States')) && entriesOf(at(value, 'States')).every(([, state]) => isRecord(state))
