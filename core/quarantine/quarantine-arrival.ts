import { Failure } from '../errors.ts'
import { type Arrival, readMessage } from '../event/arrival.ts'
import { eventBridgeEnvelope, frame } from '../frame.ts'
import { canonicalJson } from '../identity.ts'
import type { Quarantined } from '../ports.ts'

type Entry = Pick<Quarantined, 'project' | 'door' | 'reason'>
type Members = Readonly<Record<string, unknown>>

/**
 * What a quarantined text is. event: the body of a webhook, or of nobody knows what. none: nothing that any door takes,
 * so nobody vouches for whom it is from.
 */
type Read = { kind: 'frame' | 'envelope' | 'event'; body: Members } | { kind: 'none'; body: unknown }

/**
 * Only what lay on the record queue may be a frame of ours, and nobody else can put one there. A webhook that nobody
 * could read was kept as it came, whatever it looks like: it is never one.
 */
function read({ door: by, reason }: Entry, text: string): Read {
  const body = jsonOf(text)
  const fromQueue = by !== 'http' || reason !== 'unreadable'
  if (by !== 'http' && eventBridgeEnvelope.safeParse(body).success && isObject(body))
    return { kind: 'envelope', body }
  if (fromQueue && isObject(body) && frame.safeParse(body).success) return { kind: 'frame', body }
  return by === 'http' && reason !== 'unreadable' && isObject(body)
    ? { kind: 'event', body }
    : { kind: 'none', body }
}

const isObject = (value: unknown): value is Members =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** undefined: no JSON; whoever asked says so with what it is about. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * A quarantined text as it came, at its own door and in its own project, to go through the gate once more. What is wrong
 * with it is answered then, and the entry stays as it is.
 * @throws Failure Forbidden when it is of another project than the entry
 */
export function arrivalAgain(entry: Entry, text: string, now: string): Arrival {
  const { project } = entry
  const at = { received: now, ifInvalid: 'answer' } as const
  const found = read(entry, text)
  if (entry.door === 'http' && found.kind !== 'frame')
    return {
      ...at,
      door: 'http',
      project,
      // no other door of http keeps what it refuses
      actor: 'service:github',
      raw: text,
      content: { kind: 'incoming', event: found.body },
    }
  const arrival = readMessage(text, now, {})
  if (found.kind === 'frame' && arrival.project !== project)
    throw new Failure('Forbidden', `this is of project ${arrival.project}, and ${project} cannot release it`)
  return { ...arrival, ...at, project }
}

/**
 * The same for a text that somebody has edited: it stays what it was, by whom it was, so editing makes no event of ours
 * out of an outsider's. What was nothing that any door takes may become an event from outside, from whoever edits.
 * @throws Failure Invalid, Forbidden
 */
export function arrivalEdited(
  entry: Entry,
  texts: { before: string; after: string },
  { actor, now }: { actor: string; now: string },
): Arrival {
  const [before, after] = [read(entry, texts.before), read(entry, texts.after)]
  if (before.kind === 'none') {
    if (!isObject(jsonOf(texts.after))) throw unfit('(whole)', 'a CloudEvent as JSON', texts.after)
    return {
      door: entry.door === 'http' ? 'http' : 'bus',
      project: entry.project,
      actor,
      received: now,
      raw: texts.after,
      ifInvalid: 'answer',
      content: { kind: 'incoming', event: jsonOf(texts.after) },
    }
  }
  if (after.kind !== before.kind) throw unfit('(whole)', kept[before.kind], texts.after)
  const fixed = [...new Set([...fixedOf(before), ...fixedOf(after)])]
  for (const path of fixed) {
    const [was, is] = [memberAt(before.body, path), memberAt(after.body, path)]
    if (canonicalJson(was) !== canonicalJson(is))
      throw unfit(path, `${JSON.stringify(was)}, as it was`, JSON.stringify(is))
  }
  return arrivalAgain(entry, texts.after, now)
}

const kept = {
  frame: 'a frame of the record queue, as it was',
  envelope: 'what EventBridge hands over, as it was',
  event: 'an event as JSON, as it was',
} as const

const unfit = (path: string, expected: string, got: string): Failure =>
  new Failure('Invalid', 'this edit does not fit', { faults: [{ path, expected, got: got.slice(0, 80) }] })

/** Where it says whose it is and which it is: that cannot be edited. */
function fixedOf({ kind, body }: Read): string[] {
  if (kind === 'envelope') return ['account']
  if (kind !== 'frame') return []
  const around = Object.keys(body).filter((name) => name !== 'event')
  return [...around, body.door === 'edit' ? 'event' : 'event.step']
}

const memberAt = (body: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), body)

/**
 * A quarantined text with other data, and all else as it was.
 * @throws Failure Invalid when it has no place for data
 */
export function withData(entry: Entry, text: string, data: unknown): string {
  const found = read(entry, text)
  const noPlace = () =>
    new Failure('Invalid', 'this is no event with data: edit the whole text', {
      faults: [{ path: 'data', expected: 'nothing', got: 'data' }],
    })
  if (found.kind === 'none') throw noPlace()
  const { kind, body } = found
  if (kind === 'event') return JSON.stringify(replaced(body, data))
  const place = kind === 'envelope' ? 'detail' : 'event'
  const event = body[place]
  const isWrapped = kind === 'envelope' && !(isObject(event) && 'specversion' in event)
  if (isWrapped) return JSON.stringify({ ...body, detail: data })
  if (!isObject(event) || body.door === 'states') throw noPlace()
  return JSON.stringify({ ...body, [place]: replaced(event, data) })
}

function replaced(event: Members, data: unknown): Members {
  const { data_base64: _, ...rest } = event
  return { ...rest, data }
}

/** Both texts as what they say, where they are JSON: so that a difference has a place. */
export const comparable = (before: string, after: string): [unknown, unknown] => {
  const [was, is] = [jsonOf(before), jsonOf(after)]
  return was === undefined || is === undefined ? [before, after] : [was, is]
}
