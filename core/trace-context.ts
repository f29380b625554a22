import { createHash } from 'node:crypto'
import type { RecordedEvent } from '../events/envelope.ts'
import { identityText } from './identity.ts'

const hex = (text: string, digits: number): string =>
  createHash('sha256').update(text).digest('hex').slice(0, digits)

/**
 * The W3C traceparent under which an event is handled: its own, or one derived from its story, so that everything that
 * comes of one event shows under one trace id even where nobody sent a header.
 */
export const traceparentOf = (event: RecordedEvent): string =>
  event.traceparent ??
  `00-${hex(`${event.project} ${event.correlationid}`, 32)}-${hex(identityText(event), 16)}-01`
