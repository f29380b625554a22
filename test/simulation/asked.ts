import type { ReplayAsked } from '../../core/replay/replay-job.ts'
import type { RecordedEvent } from '../../events/envelope.ts'

/** Whether an event is one that somebody has asked for. */
export const isSelected = (event: RecordedEvent, asked: ReplayAsked): boolean =>
  (asked.since === undefined || event.received >= asked.since) &&
  (asked.until === undefined || event.received <= asked.until) &&
  (asked.type === undefined || event.type === asked.type) &&
  (asked.key === undefined || event.partitionkey === asked.key) &&
  (asked.story === undefined || event.correlationid === asked.story) &&
  (asked.event === undefined || (event.id === asked.event.id && event.source === asked.event.source))
