import { createHash, hash } from 'node:crypto'
import { byteLength, type Identity, limits } from '../events/envelope.ts'

const sha256 = (text: string): string => hash('sha256', text)

/** JSON with object keys sorted at every depth: equal values give equal text (RFC 8785 for what JSON.parse yields). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (value !== null && typeof value === 'object') {
    let members = ''
    for (const name of Object.keys(value).sort()) {
      const member: unknown = Reflect.get(value, name)
      if (member !== undefined)
        members += `${members === '' ? '' : ','}${JSON.stringify(name)}:${canonicalJson(member)}`
    }
    return `{${members}}`
  }
  return JSON.stringify(value) ?? 'null'
}

/** Whether lists and objects lie in each other more than so many times; looks no further than that. */
export const isDeeperThan = (value: unknown, levels: number): boolean =>
  value !== null &&
  typeof value === 'object' &&
  (levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1)))

/** What makes two sendings of one identity the same event: type, subject and data as sent. Hex sha256. */
export const contentDigest = (event: {
  type: string
  subject?: string | undefined
  data?: unknown
}): string => sha256(canonicalJson({ type: event.type, subject: event.subject, data: event.data }))

/** One text per identity; a source has no spaces, so the text can be taken apart again. */
export const identityText = ({ project, source, id }: Identity): string => `${project} ${source} ${id}`

export const identityHash = (identity: Identity): string => sha256(identityText(identity))

const namespace = Buffer.from('5b1f3d0e9c0a4e6f8d2b7a6c4e1f0d39', 'hex')

/** RFC 9562 version 5: the same name gives the same uuid, always. */
export function uuid5(name: string): string {
  const bytes = createHash('sha1').update(namespace).update(name).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

/**
 * The id of an event that a subscriber emits while handling another: a second run emits the same events.
 * `step` is the index among what a function emits; for a workflow the state, with a counter where it is entered twice.
 * A replay or a later attempt of a run means to emit anew and says so in `again`.
 */
export const derivedId = (cause: Identity, by: string, step: string | number, again = ''): string =>
  uuid5([identityText(cause), by, step, again].join('\n'))

/** Handed to whatever a subscriber of effect outside acts on; the same at every attempt. */
export const idempotencyKey = (identity: Identity, subscriber: string, replay: string): string =>
  sha256([identityText(identity), subscriber, replay].join('\n'))

/** The name of a workflow's execution: a second start under it is refused by Step Functions. 32 hex digits. */
export const runName = (identity: Identity, workflow: string, replay: string, attempt: number): string =>
  sha256([identityText(identity), workflow, replay, attempt].join('\n')).slice(0, 32)

/** The FIFO group of what belongs together on an ordered route: its messages are handed over one after the other. */
export const messageGroup = (
  { project, partitionkey }: { project: string; partitionkey: string },
  replay: string,
): string => sha256([project, partitionkey, replay].join('\n'))

/**
 * What a FIFO queue knows a message by for five minutes. `again` tells apart what is sent anew on purpose: the attempt of
 * a run, the name of a release, how often a delivery was resumed.
 */
export const messageId = (
  identity: Identity,
  subscriber: string,
  replay: string,
  again: readonly (string | number)[],
): string => sha256([identityText(identity), subscriber, replay, ...again].join('\n'))

/** A key that is at most 256 bytes: a longer one keeps its beginning and ends in a hash of the whole. */
export function boundedKey(text: string): string {
  if (byteLength(text) <= limits.key) return text
  const digest = sha256(text).slice(0, 32)
  // a character has a byte or more, so this is too much at most by some; text may be a whole event long
  let head = text.slice(0, limits.key - 33)
  while (byteLength(head) > limits.key - 33 || !head.isWellFormed()) head = head.slice(0, -1)
  return `${head}~${digest}`
}
