import { readdirSync, readFileSync } from 'node:fs'
import jsonata from 'jsonata'

/** As much of a state as tests look at. */
export type State = {
  Type: string
  Next?: string
  End?: true
  Default?: string
  Choices?: { Next: string }[]
  Catch?: { ErrorEquals: string[]; Next: string }[]
  Retry?: { ErrorEquals: string[]; MaxAttempts: number; IntervalSeconds?: number; JitterStrategy?: string }[]
  Branches?: Machine[]
  ItemProcessor?: Machine
  Resource?: string
  TimeoutSeconds?: unknown
  MaxConcurrency?: unknown
  [field: string]: unknown
}
export type Machine = { StartAt: string; States: Record<string, State> }
export type Definition = Machine & { Comment: string; QueryLanguage: string; TimeoutSeconds?: number }

const folder = new URL('../../statemachines/', import.meta.url)

/** Names of the workflows that have a definition. */
export const workflows = readdirSync(folder)
  .filter((file) => file.endsWith('.asl.json'))
  .map((file) => file.slice(0, -'.asl.json'.length))

export const textOf = (workflow: string): string =>
  readFileSync(new URL(`${workflow}.asl.json`, folder), 'utf8')
export const definitionOf = (workflow: string): Definition => JSON.parse(textOf(workflow))

/** The machine and those inside its Parallel and Map states. */
export const machinesOf = (machine: Machine): Machine[] => [
  machine,
  ...Object.values(machine.States).flatMap(insideOf).flatMap(machinesOf),
]
const insideOf = (state: State): Machine[] => [
  ...(state.Branches ?? []),
  ...(state.ItemProcessor ? [state.ItemProcessor] : []),
]

/** Every state by its name, inner ones too. */
export const statesOf = (machine: Machine): [string, State][] =>
  machinesOf(machine).flatMap(({ States }) => Object.entries(States))

/** The states that a machine can come to. */
export function reachableIn({ StartAt, States }: Machine): Set<string> {
  const seen = new Set<string>()
  const waiting = [StartAt]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    const state = States[name]
    const nexts = [
      state?.Next,
      state?.Default,
      ...[...(state?.Choices ?? []), ...(state?.Catch ?? [])].map((c) => c.Next),
    ]
    waiting.push(...nexts.filter((next) => next !== undefined))
  }
  return seen
}

/** The JSONata expressions of a state, by their path in it; those of inner machines are their own states'. */
export function expressionsOf(state: State): [path: string, expression: string][] {
  const { Branches: _, ItemProcessor: __, ...own } = state
  return within(own, '')
}
function within(value: unknown, path: string): [string, string][] {
  if (typeof value === 'string') return /^\{%.*%\}$/s.test(value) ? [[path, value.slice(2, -2)]] : []
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([name, inner]) =>
    within(inner, path === '' ? name : `${path}.${name}`),
  )
}

/** What an expression sees: `$states`, and the variables that states assigned. */
export type Scope = {
  input?: unknown
  result?: unknown
  errorOutput?: unknown
  context?: unknown
  variables?: Record<string, unknown>
}

/** Evaluates as Step Functions does: plain JSON comes out, and nothing at all is an error there. */
export async function evaluate(expression: string, { variables, ...states }: Scope): Promise<unknown> {
  const value: unknown = await jsonata(expression).evaluate(undefined, { ...variables, states })
  if (value === undefined) throw new Error(`nothing comes of ${expression}`)
  return JSON.parse(JSON.stringify(value))
}
