import { limits } from '../../events/envelope.ts'
import { Failure } from '../errors.ts'

/** A request as every host hands it over: header names in lower case, the body as it came. */
export type HttpRequest = {
  method: string
  path: string
  headers: Readonly<Record<string, string | undefined>>
  body: Uint8Array
}

/** The answer has a part for each of them, and a response has its own limit. */
export const mostEvents = 1000

export type Sent = { mode: 'single' | 'batch'; events: readonly unknown[] }

/**
 * The events of a request, in any of the three forms of the CloudEvents HTTP binding, not validated yet.
 * @throws Failure Malformed, TooLarge or UnsupportedMedia.
 */
export function readCloudEvents({ headers, body }: HttpRequest): Sent {
  if (body.byteLength > limits.request)
    throw new Failure(
      'TooLarge',
      `a request is at most ${limits.request} bytes, this one has ${body.byteLength}`,
    )
  const mediaType = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (headers['ce-specversion'] !== undefined)
    return { mode: 'single', events: [binary(headers, mediaType, body)] }
  switch (mediaType) {
    case 'application/cloudevents+json':
      return { mode: 'single', events: [json(body)] }
    case 'application/cloudevents-batch+json':
      return batch(json(body))
    case 'application/json': {
      const value = json(body)
      return Array.isArray(value) ? batch(value) : { mode: 'single', events: [value] }
    }
    default:
      throw new Failure(
        'UnsupportedMedia',
        `content-type ${mediaType === '' ? 'is missing' : `is ${mediaType}`}: send application/cloudevents+json, ` +
          'application/cloudevents-batch+json, application/json, or ce-* headers with any body',
      )
  }
}

function batch(value: unknown): Sent {
  if (!Array.isArray(value)) throw new Failure('Malformed', 'a batch is a JSON array of events')
  if (value.length === 0) throw new Failure('Malformed', 'the batch is empty')
  if (value.length > mostEvents)
    throw new Failure(
      'TooLarge',
      `a request has at most ${mostEvents} events, this one has ${value.length}: send them in several`,
    )
  return { mode: 'batch', events: value }
}

/** Attributes in ce-* headers (percent-decoded, as the binding says), the body as data. */
function binary(headers: HttpRequest['headers'], mediaType: string, body: Uint8Array): unknown {
  const attributes = Object.entries(headers)
    .filter(([name]) => /^ce-(?!data(_base64)?$)/.test(name))
    .map(([name, value]) => [name.slice(3), decoded(value ?? '')])
  const event = { ...Object.fromEntries(attributes), datacontenttype: headers['content-type'] }
  if (body.byteLength === 0) return event
  if (mediaType === '' || mediaType === 'application/json' || mediaType.endsWith('+json'))
    return { ...event, data: json(body) }
  if (mediaType.startsWith('text/')) return { ...event, data: text(body) }
  return { ...event, data_base64: Buffer.from(body).toString('base64') }
}

/** A quoted string, as older senders write it, is taken out of its quotes first. */
function decoded(value: string): string {
  const plain = /^"(.*)"$/s.exec(value)?.[1]?.replaceAll(/\\(.)/gs, '$1') ?? value
  try {
    return decodeURIComponent(plain)
  } catch {
    // a lone % is no escape: the value means itself
    return plain
  }
}

function json(body: Uint8Array): unknown {
  const read = text(body)
  try {
    return JSON.parse(read)
  } catch (error) {
    throw new Failure(
      'Malformed',
      `the body is no JSON: ${error instanceof Error ? error.message : 'unreadable'}`,
    )
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A gateway that decodes bodies itself puts U+FFFD in the place of bytes that are no UTF-8: what was sent is gone then. */
const replaced = '\ufffd'

function text(body: Uint8Array): string {
  let read: string
  try {
    read = utf8.decode(body)
  } catch (error) {
    throw new Failure('Malformed', 'the body is not UTF-8', { cause: error })
  }
  if (read.includes(replaced))
    throw new Failure('Malformed', 'the body is not UTF-8 (U+FFFD itself can be sent in JSON as \\ufffd)')
  return read
}
