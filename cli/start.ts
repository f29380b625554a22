import { randomUUID } from 'node:crypto'
import type { Api } from './api.ts'
import { ApiError } from './client.ts'
import { runText } from './commands/runs.ts'
import type { Cli } from './context.ts'
import { CommandError, UsageError } from './faults.ts'
import { pause } from './io.ts'
import { readData } from './put.ts'

export type RunOptions = { data?: string; event?: string; source?: string; once?: string; wait?: boolean }

type Request =
  | { workflow: string; event: { id: string; source?: string } }
  | { workflow: string; data: unknown }

/** Starts a run by data, by an event, or by fields; `--wait` follows it to its end. */
export async function start(cli: Cli, workflow: string, words: readonly string[], options: RunOptions) {
  const fields = readFields(words)
  const request = await requestOf(workflow, fields, options)
  const api = await cli.api()
  const started = await send(api, request, options.once ?? randomUUID(), fields)
  if (!options.wait) {
    cli.show(
      started,
      ({ run }, p) => `${p.bold(workflow)} run ${p.bold(run)} starts: loadpath runs show ${workflow} ${run}`,
    )
    return
  }
  cli.note(`${workflow} run ${started.run} starts; waiting for its end …`)
  const ended = await end(cli, api, workflow, started.run)
  cli.show(ended, runText)
  if (ended.status !== 'succeeded') cli.failed()
}

type Fields = ReadonlyMap<string, string | true>

/** `--field value`, `--field=value`, and `--field` alone for true. */
function readFields(words: readonly string[]): Fields {
  const fields = new Map<string, string | true>()
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    const [, name, , inline] = /^--([A-Za-z][\w.-]*)(=(.*))?$/s.exec(word) ?? []
    if (name === undefined) throw new UsageError(`${word}: expected a field such as --repository octo/hello`)
    const next = words[at + 1]
    if (inline !== undefined) fields.set(name, inline)
    else if (next === undefined || next.startsWith('--')) fields.set(name, true)
    else {
      fields.set(name, next)
      at++
    }
  }
  return fields
}

async function requestOf(workflow: string, fields: Fields, options: RunOptions): Promise<Request> {
  const { data, event, source } = options
  const given = [
    data !== undefined && '--data',
    event !== undefined && '--event',
    fields.size > 0 && 'fields',
  ].filter(Boolean)
  if (given.length > 1) throw new UsageError(`${given.join(' and ')}: give one of them`)
  if (source !== undefined && event === undefined) throw new UsageError('--source goes with --event')
  if (event !== undefined)
    return { workflow, event: { id: event, ...(source === undefined ? {} : { source }) } }
  return { workflow, data: data === undefined ? nest(fields) : await readData(data) }
}

/** `--a.b value` is a member of a member. */
function nest(fields: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const groups = Map.groupBy(fields, ([name]) => name.split('.')[0] ?? name)
  return Object.fromEntries(
    [...groups].map(([name, members]) => {
      const below = members.flatMap(([path, value]) =>
        path === name ? [] : [[path.slice(name.length + 1), value] as const],
      )
      const own = members.find(([path]) => path === name)
      if (own && below.length > 0) throw new UsageError(`--${name} and --${name}.…: give one of them`)
      return [name, own ? own[1] : nest(new Map(below))]
    }),
  )
}

/**
 * A word alone does not say whether it is a text or a number, and a commit may well be all digits. The workflow's own
 * schema knows: what it refuses as text is sent once more as the JSON that it also is.
 */
async function send(api: Api, request: Request, once: string, fields: Fields) {
  try {
    return await api.run(request, once)
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 422 || fields.size === 0) throw error
    const refused = new Set(error.faults.map(({ path }) => path.replace(/^data\./, '')))
    const other = new Map(
      [...fields].map(([name, value]) => [name, refused.has(name) ? asJson(value) : value] as const),
    )
    if ([...other].every(([name, value]) => value === fields.get(name))) throw error
    return await api.run({ workflow: request.workflow, data: nest(other) }, once)
  }
}

function asJson(value: string | true): unknown {
  try {
    return value === true ? true : JSON.parse(value)
  } catch {
    // it is text after all
    return value
  }
}

/** A run is known only once its event has been recorded and its workflow started. */
const patience = 60_000

async function end(cli: Cli, api: Api, workflow: string, run: string) {
  const signal = cli.io.interrupted()
  const deadline = cli.io.now() + patience
  for (let wait = 250; !signal.aborted; wait = Math.min(wait * 1.5, 5000)) {
    const found = await known(api, workflow, run)
    if (found !== undefined && found.status !== 'running') return found
    if (found === undefined && cli.io.now() > deadline)
      throw new CommandError(
        `${workflow} run ${run} has not started within ${patience / 1000} s: loadpath check says how the queues are`,
      )
    await pause(wait, signal)
  }
  throw new CommandError(`interrupted; the run goes on: loadpath runs show ${workflow} ${run}`)
}

async function known(api: Api, workflow: string, run: string) {
  try {
    return await api.runOf(workflow, run)
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined
    throw error
  }
}
