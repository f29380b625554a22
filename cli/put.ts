import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Recorded } from './answers.ts'
import type { Cli } from './context.ts'
import { CommandError, UsageError } from './faults.ts'
import { type Paint, state } from './output.ts'

export type PutOptions = {
  type?: string
  source: string
  id?: string
  data?: string
  subject?: string
  key?: string
}

/** of one request; the doors take 4,000,000 bytes */
const most = { events: 100, bytes: 3_500_000 }

/** Puts events in, by batches, and says what became of each; failed when one of them is refused. */
export async function put(cli: Cli, file: string | undefined, options: PutOptions): Promise<void> {
  const events = await read(cli, file, options)
  const api = await cli.api()
  let number = 0
  for (const batch of batches(events))
    for (const answer of await api.putEvents(batch)) {
      number++
      if ('title' in answer) cli.failed()
      cli.stream(answer, (said, p) => line(p, said, events.length > 1 ? `${number}: ` : ''))
    }
}

function batches(events: readonly unknown[]): unknown[][] {
  const all: unknown[][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event)) + 1
    const last = all.at(-1)
    if (last === undefined || last.length >= most.events || bytes + size > most.bytes) {
      all.push([event])
      bytes = size
    } else {
      last.push(event)
      bytes += size
    }
  }
  return all
}

function line(p: Paint, answer: Recorded, number: string): string {
  if ('outcome' in answer)
    return `${number}${state(p, String(answer.outcome))} ${[answer.type, answer.id].filter(Boolean).join(' ')}`
  const faults = (answer.faults ?? []).map(
    ({ path, expected, got }) => `  ${path}: expected ${expected}, got ${got}`,
  )
  return [`${number}${p.red('refused')} ${answer.detail ?? answer.title} (${answer.status})`, ...faults].join(
    '\n',
  )
}

async function read(cli: Cli, file: string | undefined, options: PutOptions): Promise<unknown[]> {
  const { type, data, key, ...attributes } = options
  if (type !== undefined && file !== undefined)
    throw new UsageError('a file or --type, not both: the file says the type of each event')
  if (type === undefined && file === undefined)
    throw new UsageError('give a file, - for standard input, or --type with --data')
  if (file !== undefined) return parse(file === '-' ? await cli.io.stdin() : await readText(file), file)
  return [
    {
      specversion: '1.0',
      ...attributes,
      id: attributes.id ?? randomUUID(),
      type,
      ...(key === undefined ? {} : { partitionkey: key }),
      ...(data === undefined ? {} : { data: await readData(data) }),
    },
  ]
}

export async function readData(text: string): Promise<unknown> {
  const content = text.startsWith('@') ? await readText(text.slice(1)) : text
  try {
    return JSON.parse(content)
  } catch (error) {
    throw new UsageError(`--data: expected JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new CommandError(
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** A whole document, or one event per line. */
function parse(text: string, file: string): unknown[] {
  const name = file === '-' ? 'standard input' : file
  const whole = tryJson(text)
  const events =
    whole === undefined ? text.split('\n').filter((each) => each.trim() !== '') : [whole.value].flat()
  if (events.length === 0) throw new CommandError(`${name} holds no event`)
  if (whole !== undefined) return events
  return events.map((each, index) => {
    const parsed = tryJson(String(each))
    if (parsed === undefined)
      throw new CommandError(`${name}, line ${index + 1}: expected JSON, got ${String(each).slice(0, 60)}`)
    return parsed.value
  })
}

function tryJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    // the caller says what it expected
    return undefined
  }
}
