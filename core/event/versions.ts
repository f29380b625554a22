import type * as z from 'zod'
import { eventTypeNamed } from '../../events/catalogue.ts'
import type { RecordedEvent } from '../../events/envelope.ts'
import type { EventType } from '../../events/event-type.ts'
import { Failure, type Fault } from '../errors.ts'

const schemaOf = (eventType: EventType, version: number): z.ZodType | undefined =>
  version === eventType.version ? eventType.schema : eventType.older[version - 1]?.schema

/** The version that `dataschema` names: the number in `…/<type>/<n>`; undefined when it names none of this type. */
export function namedVersion(type: string, dataschema: string | undefined): number | undefined {
  const number = dataschema?.split(`/${type}/`).at(-1)
  return dataschema?.includes(`/${type}/`) && number !== undefined && /^[1-9]\d{0,5}$/.test(number)
    ? Number(number)
    : undefined
}

export type Fitting = { version: number } | { faults: Fault[] } | { newer: number }

/**
 * Which version of its type the data is in: the one that `dataschema` names, else the newest whose schema fits.
 * Faults are those of the named, or the newest, version.
 */
export function fittingVersion(eventType: EventType, data: unknown, dataschema: string | undefined): Fitting {
  const named = namedVersion(eventType.type, dataschema)
  if (named !== undefined && named > eventType.version) return { newer: named }
  const candidates = named === undefined ? [eventType.version, ...olderVersions(eventType)] : [named]
  for (const version of candidates)
    if (schemaOf(eventType, version)?.safeParse(data).success) return { version }
  const parsed = schemaOf(eventType, candidates[0] ?? eventType.version)?.safeParse(data)
  return { faults: parsed?.error ? faultsOf(parsed.error, data, 'data') : [] }
}

const olderVersions = (eventType: EventType): number[] =>
  eventType.older.map((_, index) => index + 1).reverse()

/** They are answered and kept in one item: enough to mend by, however much is wrong. */
const mostFaults = 20

/** The first issues, each as path, expected and got; `root` names what the paths start from. */
export function faultsOf(error: z.ZodError, value: unknown, root: string): Fault[] {
  return error.issues.slice(0, mostFaults).map((issue) => ({
    path: short([root, ...issue.path.map(String)].filter((part) => part !== '').join('.'), 200) || '(whole)',
    expected: short(expectationOf(issue), 200),
    got: shown(at(value, issue.path)),
  }))
}

/** What would have been right, as the end of the sentence "expected …". */
function expectationOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'never' ? issue.message : issue.expected
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(' or ')
    case 'too_small':
      return `at least ${issue.minimum}${unit(issue.origin)}`
    case 'too_big':
      return `at most ${issue.maximum}${unit(issue.origin)}`
    case 'unrecognized_keys':
      return `no ${issue.keys.slice(0, 5).join(', ')}`
    case 'invalid_format':
      return formats[issue.format] ?? issue.message
    case 'invalid_union':
      return expectedOfUnion(issue)
    default:
      return issue.message
  }
}

const formats: Readonly<Record<string, string>> = {
  datetime: 'an ISO 8601 time with its offset',
  url: 'a URL',
}

/** What any of its members would take; where one word tells them apart, which words there are. */
function expectedOfUnion(issue: z.core.$ZodIssueInvalidUnion): string {
  const words = /Expected (.+)$/.exec(issue.message)?.[1]
  if (words !== undefined) return words.replaceAll("'", '"').replaceAll(' | ', ' or ')
  const members = issue.errors.flatMap(([first]) => (first === undefined ? [] : expectationOf(first)))
  return [...new Set(members)].join(' or ') || issue.message
}

const unit = (origin: string): string =>
  origin === 'string' ? ' characters' : origin === 'array' ? ' items' : ''

const short = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value
  for (const step of path) {
    if (current === null || typeof current !== 'object') return undefined
    current = Reflect.get(current, step)
  }
  return current
}

/** A value as a person reads it in a fault: short, and never the whole of something large or secret. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (value !== null && typeof value === 'object') return 'an object'
  return short(JSON.stringify(value) ?? String(value), 80)
}

/**
 * The data of a recorded event in the newest version of its type, parsed.
 * @throws Failure Invalid when it does not fit (terminal), NewerVersion when newer code wrote it (retryable).
 */
export function newestData(event: RecordedEvent, data: unknown): { type: string; data: unknown } {
  const eventType = eventTypeNamed(event.type)
  if (eventType === undefined) return { type: event.type, data }
  const version = event.dataversion ?? eventType.version
  if (version > eventType.version)
    throw new Failure(
      'NewerVersion',
      `${event.type} version ${version}: this code knows up to ${eventType.version}`,
    )
  return { type: event.type, data: upcast(eventType, version, data) }
}

/** Parses data of a version and lifts it step by step to the newest. */
export function upcast(eventType: EventType, version: number, data: unknown): unknown {
  let current = parse(eventType, version, data)
  for (let from = version; from < eventType.version; from++) {
    const step = eventType.older[from - 1]
    current = parse(eventType, from + 1, step?.upcast(current as never))
  }
  return current
}

function parse(eventType: EventType, version: number, data: unknown): unknown {
  const parsed = schemaOf(eventType, version)?.safeParse(data)
  if (parsed === undefined) throw new Failure('Invalid', `${eventType.type} has no version ${version}`)
  if (parsed.success) return parsed.data
  throw new Failure('Invalid', `data does not fit ${eventType.type} version ${version}`, {
    faults: faultsOf(parsed.error, data, 'data'),
  })
}
