import { CloudEvent, HTTP } from 'cloudevents'
import { describe, expect, it } from 'vitest'
import { incomingEvent } from '../../events/envelope.ts'
import { githubPush } from '../../events/github.push.ts'
import { readCloudEvents } from './cloudevents-http.ts'

const read = (body: string | Uint8Array, headers: Record<string, string | undefined> = {}) =>
  readCloudEvents({ method: 'POST', path: '/events', headers, body: Buffer.from(body) })

/** What the library of CloudEvents puts on the wire, as a server sees it. */
const onTheWire = ({ headers, body }: { headers: object; body: unknown }) =>
  read(
    body === undefined
      ? ''
      : typeof body === 'string' || body instanceof Uint8Array
        ? body
        : JSON.stringify(body),
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)])),
  )

const sent = new CloudEvent({
  id: 'p1',
  source: 'https://github.com/octo/hello',
  type: 'github.push',
  time: '2026-01-01T12:00:00.000Z',
  subject: 'refs/heads/main',
  datacontenttype: 'application/json',
  partitionkey: 'repository/octo/hello',
  hops: 2,
  data: githubPush.example,
})

const kind = (code: string, detail: RegExp | string = '') =>
  expect.objectContaining({ code, message: expect.stringMatching(detail) })

describe('an event as the CloudEvents library sends it', () => {
  it('structured is the event itself', () => {
    expect(onTheWire(HTTP.structured(sent))).toEqual({
      mode: 'single',
      events: [JSON.parse(JSON.stringify(sent))],
    })
  })

  it('binary is the same event: attributes from headers, the body as data', () => {
    const { mode, events } = onTheWire(HTTP.binary(sent))
    expect(mode).toBe('single')
    expect(incomingEvent.parse(events[0])).toEqual(incomingEvent.parse(JSON.parse(JSON.stringify(sent))))
  })

  it('in a batch keeps its place', () => {
    const batch = ['1', '2', '3'].map((id) => sent.cloneWith({ id }))
    const headers = { 'content-type': 'application/cloudevents-batch+json; charset=utf-8' }
    const { mode, events } = read(JSON.stringify(batch), headers)
    expect(mode).toBe('batch')
    expect(events).toMatchObject([{ id: '1' }, { id: '2' }, { id: '3' }])
  })
})

describe('binary mode', () => {
  const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'a.b' }
  const event = (more: Record<string, string | undefined>, body: string | Uint8Array = '') =>
    read(body, { ...headers, ...more }).events[0] as Record<string, unknown>

  it.each([
    ['Euro%20%E2%82%AC%20%F0%9F%98%80', 'Euro € 😀'],
    ['plain', 'plain'],
    ['100%', '100%'],
    ['%zz', '%zz'],
    ['%C3%28', '%C3%28'],
    ['a+b', 'a+b'],
    ['%2525', '%25'],
    ['"quoted \\"and\\" %20"', 'quoted "and"  '],
    ['', ''],
  ])('decodes the percent-encoded header %s once', (value, subject) => {
    expect(event({ 'ce-subject': value }).subject).toBe(subject)
  })

  it.each([
    ['application/json', '{"a":1}', { data: { a: 1 } }],
    ['application/vnd.acme+json; charset=utf-8', '[1]', { data: [1] }],
    [undefined, '{"a":1}', { data: { a: 1 } }],
    ['text/plain', 'hello', { data: 'hello' }],
    ['application/xml', '<a/>', { data_base64: Buffer.from('<a/>').toString('base64') }],
  ])('with content-type %s reads its body', (type, body, data) => {
    expect(event({ 'content-type': type }, body)).toMatchObject(data)
  })

  it('takes bytes as they are', () => {
    const bytes = Uint8Array.from([0, 255, 254])
    expect(event({ 'content-type': 'application/octet-stream' }, bytes).data_base64).toBe('AP/+')
  })

  it('without a body has no data', () => {
    expect(event({ 'content-type': 'application/json' })).not.toHaveProperty('data')
  })

  it('cannot say its data in a header', () => {
    const { data, data_base64 } = event({ 'ce-data': 'x', 'ce-data_base64': 'eA==' })
    expect([data, data_base64]).toEqual([undefined, undefined])
  })

  it('has numbers in headers, too', () => {
    expect(incomingEvent.parse(event({ 'ce-hops': '3' })).hops).toBe(3)
    expect(incomingEvent.safeParse(event({ 'ce-hops': 'many' })).success).toBe(false)
  })
})

describe('a request that cannot be read', () => {
  const structured = { 'content-type': 'application/cloudevents+json' }
  const batch = { 'content-type': 'application/cloudevents-batch+json' }

  it.each([
    ['broken JSON', '{"a":', structured, kind('Malformed', /no JSON/)],
    ['nothing', '', structured, kind('Malformed', /no JSON/)],
    ['not UTF-8', Uint8Array.from([0x22, 0xff, 0x22]), structured, kind('Malformed', 'not UTF-8')],
    [
      'not UTF-8, as text',
      Uint8Array.from([0xc3]),
      { 'ce-specversion': '1.0', 'content-type': 'text/plain' },
      kind('Malformed', 'not UTF-8'),
    ],
    ['a batch of one that is no list', '{}', batch, kind('Malformed', 'a batch is a JSON array')],
    ['an empty batch', '[]', batch, kind('Malformed', 'the batch is empty')],
    ['an empty list', '[]', { 'content-type': 'application/json' }, kind('Malformed', 'the batch is empty')],
    ['no content-type', '{}', {}, kind('UnsupportedMedia', 'is missing')],
    [
      'a form',
      'a=b',
      { 'content-type': 'application/x-www-form-urlencoded' },
      kind('UnsupportedMedia', 'x-www-form'),
    ],
    ['4 MB that are no JSON, and not for their size', 'x'.repeat(4_000_000), structured, kind('Malformed')],
    ['over 4 MB', 'x'.repeat(4_000_001), structured, kind('TooLarge', '4000001')],
    ['over 4 MB by bytes alone', 'ä'.repeat(2_000_001), structured, kind('TooLarge')],
  ])('%s is refused, saying why', (_, body, headers, failure) => {
    expect(() => read(body, headers as Record<string, string>)).toThrow(failure)
  })

  it('is not one of plain JSON: one event or a list of them', () => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' }
    expect(read('{"id":"1"}', headers)).toEqual({ mode: 'single', events: [{ id: '1' }] })
    expect(read('[{"id":"1"}]', headers)).toEqual({ mode: 'batch', events: [{ id: '1' }] })
  })

  it('is not one that begins with a byte order mark', () => {
    expect(read('\ufeff{"id":"1"}', structured).events).toEqual([{ id: '1' }])
  })
})

it('a body that a gateway has garbled is refused; the replacement character itself can be escaped', () => {
  const garbled = '{"a":"\ufffd"}'
  const type = { 'content-type': 'application/json' }
  expect(() => read(garbled, type)).toThrow(expect.objectContaining({ code: 'Malformed' }))
  expect(read('{"a":"\\ufffd"}', type).events).toEqual([{ a: '\ufffd' }])
})
