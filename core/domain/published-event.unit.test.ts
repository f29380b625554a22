import { CloudEvent } from 'cloudevents'
import { expect, it } from 'vitest'
import { buildStatusChanged } from '../../events/build.status-changed.ts'
import type { RecordedEvent } from '../../events/envelope.ts'
import { publishedEvent } from './published-event.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

const event: RecordedEvent = {
  specversion: '1.0',
  project: 'main',
  source: '/loadpath/track-build',
  id: '4f0b8f3e-6f43-5f0e-9d0f-1c1c9b4d8a11',
  type: 'build.status-changed',
  time: '2026-01-01T12:00:00.000Z',
  received: '2026-01-01T12:00:00.100Z',
  door: 'outbox',
  dataversion: 1,
  dataref: 'project/main/x/y',
  partitionkey: 'build/octo/hello/main',
  correlationid: 'd1',
  causationid: 'd1',
  cause: { source: 'https://github.com/octo/hello', id: 'd1', by: 'track-build' },
  hops: 1,
  sequence: 7,
  actor: 'service:track-build',
  extensions: { region: 'eu', sequence: 'theirs' },
  duplicateof: 'd0',
  released: { digest: 'd', by: 'user:ada', at: '2026-01-01T12:00:00.100Z', edited: true },
}

it('is the whole event, with its extensions beside the rest, and nothing of how it is kept', () => {
  expect(publishedEvent(event, buildStatusChanged.example, traceparent)).toEqual({
    specversion: '1.0',
    id: event.id,
    source: '/loadpath/track-build',
    type: 'build.status-changed',
    time: '2026-01-01T12:00:00.000Z',
    datacontenttype: 'application/json',
    dataschema: 'https://loadpath.dev/schemas/build.status-changed/1',
    data: buildStatusChanged.example,
    project: 'main',
    partitionkey: 'build/octo/hello/main',
    correlationid: 'd1',
    causationid: 'd1',
    hops: 1,
    sequence: 7,
    traceparent,
    actor: 'service:track-build',
    region: 'eu',
  })
})

it('is a CloudEvent by the reading of others', () => {
  const { extensions: _, ...own } = event
  expect(new CloudEvent(publishedEvent(own, { a: 1 }, traceparent)).validate()).toBe(true)
})

it('leaves out what an event does not have', () => {
  const { causationid: _, sequence: __, extensions: ___, ...bare } = event
  const published = publishedEvent({ ...bare, type: 'aws.thing', subject: 'x' }, null, traceparent)
  expect(Object.keys(published).sort()).toEqual([
    'actor',
    'correlationid',
    'data',
    'datacontenttype',
    'hops',
    'id',
    'partitionkey',
    'project',
    'source',
    'specversion',
    'subject',
    'time',
    'traceparent',
    'type',
  ])
})
