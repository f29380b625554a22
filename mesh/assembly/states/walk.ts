import { at, entriesOf, isRecord, type Json, listOf, textOf } from '../json.ts'

/** A Task of a state machine, in whatever it lies. */
export type Task = {
  /** the states around it, then its own name */
  path: string[]
  state: Json
  /** runs in one run of the machine; null: a Choice, a loop, an error or the input decides */
  times: number | null
  /** at once in one run */
  concurrency: number
}

type Around = Pick<Task, 'path' | 'times' | 'concurrency'>
export type Limits = { inline: number; distributed: number }

/** All Tasks of a definition, also those in the branches of Parallels and the processors of Maps. */
export function tasksIn(definition: Json, limits: Limits): Task[] {
  return [...walk(definition, { path: [], times: 1, concurrency: 1 }, limits)]
}

function* walk(machine: Json | undefined, around: Around, limits: Limits): Generator<Task> {
  const states = new Map(entriesOf(at(machine, 'States')))
  const start = textOf(at(machine, 'StartAt')) ?? ''
  const sure = onEveryPath(states, start)
  for (const [name, state] of states) {
    const here = {
      path: [...around.path, name],
      times: sure.has(name) ? around.times : null,
      concurrency: around.concurrency,
    }
    switch (textOf(at(state, 'Type'))) {
      case 'Task':
        yield { ...here, state }
        break
      case 'Parallel':
        for (const branch of listOf(at(state, 'Branches'))) yield* walk(branch, here, limits)
        break
      case 'Map': {
        const processor = at(state, 'ItemProcessor') ?? at(state, 'Iterator')
        const items = at(state, 'Items')
        const count = Array.isArray(items) ? items.length : null
        const times = here.times === null || count === null ? null : here.times * count
        const concurrency = here.concurrency * atOnce(state, processor, limits)
        yield* walk(processor, { ...here, times, concurrency }, limits)
        break
      }
    }
  }
}

/** 0, or nothing, is as many as the service allows; so is what the input says. */
function atOnce(state: Json, processor: Json | undefined, { inline, distributed }: Limits): number {
  const most = at(processor, 'ProcessorConfig', 'Mode') === 'DISTRIBUTED' ? distributed : inline
  const own = at(state, 'MaxConcurrency')
  return typeof own === 'number' && own > 0 ? Math.min(own, most) : most
}

/** Where a state may go on when nothing fails. */
function nextOf(state: Json): string[] {
  const choices = listOf(at(state, 'Choices')).map((choice) => textOf(at(choice, 'Next')))
  return [textOf(at(state, 'Next')), textOf(at(state, 'Default')), ...choices].filter(
    (next) => next !== undefined,
  )
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
