import { eventTypeNamed } from '../../events/catalogue.ts'
import type { RecordedEvent } from '../../events/envelope.ts'

/** A CloudEvent as other systems read it. */
export type PublishedEvent = {
  specversion: '1.0'
  id: string
  source: string
  type: string
  time: string
  data: unknown
  [extension: string]: unknown
}

/**
 * A recorded event as the CloudEvent that others get: `data` in the newest version, extension attributes beside the
 * rest, and nothing of how it came in or is kept.
 */
export function publishedEvent(event: RecordedEvent, data: unknown, traceparent: string): PublishedEvent {
  const { specversion, id, source, type, subject, time, datacontenttype, extensions } = event
  const { project, partitionkey, correlationid, causationid, hops, sequence, actor } = event
  const version = eventTypeNamed(type)?.version
  return {
    ...extensions,
    specversion,
    id,
    source,
    type,
    time,
    datacontenttype: datacontenttype ?? 'application/json',
    data,
    project,
    partitionkey,
    correlationid,
    hops,
    traceparent,
    actor,
    ...(subject === undefined ? {} : { subject }),
    ...(causationid === undefined ? {} : { causationid }),
    ...(sequence === undefined ? {} : { sequence }),
    ...(version === undefined ? {} : { dataschema: `https://loadpath.dev/schemas/${type}/${version}` }),
  }
}
