import type * as z from 'zod'
import { eventTypeNamed } from '../../events/catalogue.ts'
import {
  byteLength,
  type Identity,
  incomingEvent,
  limits,
  type RecordedEvent,
} from '../../events/envelope.ts'
import type { EventType } from '../../events/event-type.ts'
import { type Route, subscribersOf } from '../../events/route.ts'
import { Failure, type Fault } from '../errors.ts'
import type { EditFrame, emitFrame, OutboxFrame } from '../frame.ts'
import { boundedKey, contentDigest, derivedId, identityText, isDeeperThan, uuid5 } from '../identity.ts'
import type { DeliveryKey, Quarantined } from '../ports.ts'
import type { Arrival } from './arrival.ts'
import { hasHalfCharacter, keptExtensions, named, withoutNulls } from './as-sent.ts'
import { type RunStatus, runStatus } from './run-status.ts'
import { faultsOf, fittingVersion, upcast } from './versions.ts'

export type Refusal = {
  verdict: 'refused'
  reason: Quarantined['reason']
  faults: readonly Fault[]
  /** what could be read of it */
  type?: string | undefined
  source?: string | undefined
  id?: string | undefined
}

export type Admitted = {
  verdict: 'admitted'
  /** complete, its data inline */
  event: RecordedEvent
  /** contentDigest of what was sent */
  content: string
  expects: readonly string[]
  /** the delivery whose handling emitted it, for events of ours */
  emitter?: DeliveryKey | undefined
}

/** `later`: written by a newer version than this code knows; newer code will take it. */
export type Admission = Admitted | Refusal | { verdict: 'later'; error: Failure }

const fault = (path: string, expected: string, got: string): Fault => ({ path, expected, got })

const refused = (
  reason: Refusal['reason'],
  faults: readonly Fault[],
  about: Pick<Refusal, 'type' | 'source' | 'id'>,
): Refusal => ({ verdict: 'refused', reason, faults, ...about })

/** Decides whether an arrival may be recorded, and as what. Pure; everything it needs is in the arrival. */
export function admit(arrival: Arrival, routes: readonly Route[]): Admission {
  const { content } = arrival
  switch (content.kind) {
    case 'unreadable':
      return { verdict: 'refused', reason: 'unreadable', faults: content.faults }
    case 'incoming':
      return admitIncoming(arrival, content.event, routes)
    case 'emitted':
      return admitEmitted(arrival, content.frame, routes)
    case 'status':
      return admitEnvelope(arrival, content.envelope, routes)
    case 'described':
      return admitStatus(arrival, content.run, routes)
    case 'edited':
      return admitEdited(arrival, content.frame, routes)
    default:
      return content satisfies never
  }
}

/** Sources under this path are ours; a derived id can be foreseen, so an outsider must not take it. */
const ownSource = '/loadpath/'

/** Digests and JSON go down an event by recursion: a deeper one would end the stack, here or at whoever reads it. */
export const deepest = 256
/** Bytes of extension attributes, names and values: they stand beside an inline body in one item of the history. */
const mostExtensions = 16_000

function admitIncoming(arrival: Arrival, given: unknown, routes: readonly Route[]): Admission {
  const sent = withoutNulls(given)
  if (isDeeperThan(sent, deepest))
    return refused('invalid', [fault('(whole)', `at most ${deepest} levels`, 'more')], named(sent))
  if (hasHalfCharacter(sent))
    return refused('invalid', [fault('(whole)', 'whole characters', 'a lone surrogate')], named(sent))
  const parsed = incomingEvent.safeParse(sent)
  if (!parsed.success) return refused('invalid', faultsOf(parsed.error, sent, ''), named(sent))
  const {
    specversion,
    id,
    source,
    type,
    subject,
    time,
    datacontenttype,
    dataschema,
    data,
    data_base64,
    ...rest
  } = parsed.data
  const { partitionkey, correlationid, causationid, traceparent, hops, ...others } = rest
  const about = { type, source, id }
  const body = data_base64 === undefined ? data : data_base64
  const eventType = eventTypeNamed(type)
  if (eventType?.origin === 'ours')
    return refused('forged', [fault('type', 'a type that others may send', type)], about)
  if (source.startsWith(ownSource))
    return refused('forged', [fault('source', `not under ${ownSource}`, source)], about)
  const extensions = keptExtensions(others)
  const size = byteLength(JSON.stringify(extensions ?? {}))
  if (size > mostExtensions)
    return refused(
      'invalid',
      [fault('(extensions)', `at most ${mostExtensions} bytes`, `${size} bytes`)],
      about,
    )
  return complete(arrival, eventType, routes, contentDigest({ type, subject, data: body }), {
    specversion,
    project: arrival.project,
    source,
    id,
    type,
    subject,
    time: time ?? arrival.received,
    received: arrival.received,
    door: arrival.door,
    datacontenttype,
    dataschema,
    data: body,
    database64: data_base64 === undefined ? undefined : true,
    partitionkey,
    correlationid: correlationid ?? id,
    causationid,
    hops: hops ?? 0,
    traceparent,
    actor: arrival.actor,
    extensions,
    duplicateof: arrival.duplicateof,
  })
}

type Emitted = z.infer<typeof emitFrame> | OutboxFrame

function admitEmitted(arrival: Arrival, frame: Emitted, routes: readonly Route[]): Admission {
  const { cause, by, event, project } = frame
  const eventType = eventTypeNamed(event.type)
  const about = { type: event.type, source: `${ownSource}${by}` }
  if (eventType?.origin !== 'ours')
    return refused('invalid', [fault('event.type', 'a declared type of ours', event.type)], about)
  if (frame.door === 'emit' && cause === undefined)
    return refused('invalid', [fault('cause', 'the identity of the event being handled', 'nothing')], about)
  const id = emittedId(frame)
  const hops = cause === undefined ? 0 : cause.hops + 1
  if (hops > limits.hops)
    return refused('loop', [fault('hops', `at most ${limits.hops}`, String(hops))], { ...about, id })
  const outbox = frame.door === 'outbox'
  const admission = complete(arrival, eventType, routes, contentDigest(event), {
    specversion: '1.0',
    project,
    source: about.source,
    id,
    type: event.type,
    subject: event.subject,
    time: arrival.received,
    received: arrival.received,
    door: arrival.door,
    datacontenttype: 'application/json',
    data: event.data,
    partitionkey: outbox ? frame.partitionkey : undefined,
    sequence: outbox ? frame.sequence : undefined,
    correlationid: cause?.correlationid ?? id,
    causationid: cause?.id,
    cause: cause && causeOf(cause, by, frame.replay),
    hops,
    traceparent: cause?.traceparent,
    actor: arrival.actor,
  })
  return admission.verdict === 'admitted' && cause !== undefined
    ? {
        ...admission,
        emitter: { project, source: cause.source, id: cause.id, subscriber: by, replay: frame.replay },
      }
    : admission
}

const causeOf = (
  { source, id }: Pick<Identity, 'source' | 'id'>,
  by: string,
  replay: string,
): NonNullable<RecordedEvent['cause']> => ({ source, id, by, ...(replay === '' ? {} : { replay }) })

/** The id of an emission: derived from what caused it; a command's from the aggregate's key and version. */
export function emittedId(frame: Emitted): string {
  const { cause, project, by, event } = frame
  const again = frame.door === 'emit' ? frame.again : ''
  if (cause !== undefined)
    return derivedId({ project, source: cause.source, id: cause.id }, by, event.step, again)
  const aggregate = frame.door === 'outbox' ? [frame.partitionkey, frame.sequence] : []
  return uuid5([project, by, ...aggregate, event.step].join('\n'))
}

function admitEnvelope(arrival: Arrival, envelope: unknown, routes: readonly Route[]): Admission {
  const status = runStatus(envelope)
  if ('faults' in status) return { verdict: 'refused', reason: 'unreadable', faults: status.faults }
  return admitStatus(arrival, status, routes)
}

function admitStatus(arrival: Arrival, status: RunStatus, routes: readonly Route[]): Admission {
  const { eventType, id, data, started } = status
  const source = `${ownSource}step-functions`
  return complete(arrival, eventType, routes, contentDigest({ type: eventType.type, data }), {
    specversion: '1.0',
    project: started?.event.project ?? arrival.project,
    source,
    id,
    type: eventType.type,
    time: data.ended ?? data.started,
    partitionkey: undefined,
    received: arrival.received,
    door: arrival.door,
    datacontenttype: 'application/json',
    data,
    correlationid: started?.event.correlationid ?? id,
    causationid: started?.event.id,
    cause: started && causeOf(started.event, data.workflow, started.replay),
    // a run's end is told once and starts nothing that would run it again, but a workflow may be routed to from here
    hops: started === undefined ? 0 : Math.min(started.event.hops + 1, limits.hops),
    traceparent: started?.event.traceparent,
    actor: arrival.actor,
  })
}

/** What a person has mended takes the place of the event that it was, for the subscribers that could not handle that. */
function admitEdited(arrival: Arrival, frame: EditFrame, routes: readonly Route[]): Admission {
  const { project, of, expects, event } = frame
  const { type, source, id, subject, data } = event
  const content = contentDigest({ type, subject, data })
  const expected = editedId({ project, ...of }, expects, content)
  if (id !== expected || source !== of.source)
    return refused('forged', [fault('event.id', expected, id)], { type, source, id })
  const draft = { ...event, project, received: arrival.received, door: arrival.door, actor: arrival.actor }
  return complete(arrival, eventTypeNamed(type), routes, content, draft, expects)
}

/** The id of an event that was edited: the same edit twice is one event, and each subscriber's is its own. */
export const editedId = (of: Identity, expects: readonly string[], content: string): string =>
  uuid5([identityText(of), 'edit', ...expects, content].join('\n'))

type Draft = Omit<RecordedEvent, 'partitionkey'> & { partitionkey: string | undefined }

/** Validates the data, and fills in what follows: version, partition key, release, who it is for unless that is given. */
function complete(
  arrival: Arrival,
  eventType: EventType | undefined,
  routes: readonly Route[],
  content: string,
  draft: Draft,
  given?: readonly string[],
): Admission {
  const expects = (data: unknown) =>
    given ?? (arrival.duplicateof === undefined ? subscribersOf(routes, draft.type, data) : [])
  // an edit of what was released is none itself
  const whole = { ...draft, released: arrival.released }
  if (eventType === undefined) {
    const event: RecordedEvent = { ...whole, partitionkey: draft.partitionkey ?? draft.id, unknown: true }
    return { verdict: 'admitted', event, content, expects: expects(draft.data) }
  }
  const fitting = fittingVersion(eventType, draft.data, draft.dataschema)
  if ('newer' in fitting)
    return {
      verdict: 'later',
      error: new Failure(
        'NewerVersion',
        `${draft.type} version ${fitting.newer} is newer than ${eventType.version}, the newest known here`,
      ),
    }
  if ('faults' in fitting) {
    const { type, source, id } = draft
    return refused('invalid', fitting.faults, { type, source, id })
  }
  const data = upcast(eventType, fitting.version, draft.data)
  const partitionkey = draft.partitionkey ?? boundedKey(eventType.partitionkey?.(data as never) ?? draft.id)
  const event: RecordedEvent = { ...whole, partitionkey, dataversion: fitting.version }
  return { verdict: 'admitted', event, content, expects: expects(data) }
}

export const identityOf = ({ project, source, id }: RecordedEvent): Identity => ({ project, source, id })
