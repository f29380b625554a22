import type * as z from 'zod'
import type { Door, RecordedEvent } from '../../events/envelope.ts'
import type { Fault } from '../errors.ts'
import {
  type EditFrame,
  type EventBridgeEnvelope,
  type emitFrame,
  eventBridgeEnvelope,
  frame,
  type OutboxFrame,
} from '../frame.ts'
import { projectOfRun, type RunStatus } from './run-status.ts'
import { faultsOf } from './versions.ts'

/** Something that came to one of the doors and wants to be recorded. */
export type Arrival = {
  door: Door
  project: string
  actor: string
  /** ISO 8601, UTC */
  received: string
  /** as it came, kept when it goes into quarantine */
  raw: string
  /** http tells its sender; nobody would hear it at the other doors */
  ifInvalid: 'answer' | 'quarantine'
  duplicateof?: string | undefined
  /** it lay in quarantine before, and who lets it out of there */
  released?: RecordedEvent['released']
  content:
    | { kind: 'incoming'; event: unknown }
    | { kind: 'emitted'; frame: z.infer<typeof emitFrame> | OutboxFrame }
    | { kind: 'status'; envelope: unknown }
    | { kind: 'described'; run: RunStatus }
    | { kind: 'edited'; frame: EditFrame }
    | { kind: 'unreadable'; faults: readonly Fault[] }
}

/** The account map: events put on the inbox bus by these AWS accounts belong to these projects. */
export type AccountProjects = Readonly<Record<string, string>>

const defaultProject = 'main'

/** Reads what lies on the record queue: a frame of ours, or what EventBridge took from a bus. */
export function readMessage(raw: string, received: string, accounts: AccountProjects): Arrival {
  const base = { project: defaultProject, actor: 'system', received, raw, ifInvalid: 'quarantine' } as const
  let body: unknown
  try {
    body = JSON.parse(raw)
  } catch {
    const faults = [{ path: '(whole)', expected: 'JSON', got: raw.slice(0, 40) }]
    return { ...base, door: 'bus', content: { kind: 'unreadable', faults } }
  }
  const envelope = eventBridgeEnvelope.safeParse(body)
  if (envelope.success) return fromBus(base, envelope.data, accounts)
  const framed = frame.safeParse(body)
  if (!framed.success)
    return { ...base, door: 'bus', content: { kind: 'unreadable', faults: faultsOf(framed.error, body, '') } }
  return fromFrame(base, framed.data)
}

type Base = Pick<Arrival, 'project' | 'actor' | 'received' | 'raw' | 'ifInvalid'>

function fromFrame(base: Base, framed: z.infer<typeof frame>): Arrival {
  switch (framed.door) {
    case 'states': {
      // whatever becomes of it is for that project to see whose event began the run
      const project = projectOfRun(framed.event) ?? base.project
      return { ...base, door: 'states', project, content: { kind: 'status', envelope: framed.event } }
    }
    case 'http': {
      const { project, actor, received, duplicateof, event } = framed
      return {
        ...base,
        door: 'http',
        project,
        actor,
        received,
        duplicateof,
        content: { kind: 'incoming', event },
      }
    }
    case 'emit':
    case 'outbox':
      return {
        ...base,
        door: framed.door,
        project: framed.project,
        actor: framed.door === 'outbox' ? framed.actor : `service:${framed.by}`,
        received: framed.received ?? base.received,
        content: { kind: 'emitted', frame: framed },
      }
    case 'edit':
      return {
        ...base,
        door: 'edit',
        project: framed.project,
        actor: framed.actor,
        received: framed.received ?? base.received,
        content: { kind: 'edited', frame: framed },
      }
    default:
      return framed satisfies never
  }
}

/** A CloudEvent in the detail is taken as it is; anything else is wrapped into one. */
function fromBus(base: Base, envelope: EventBridgeEnvelope, accounts: AccountProjects): Arrival {
  const { detail } = envelope
  const isCloudEvent = detail !== null && typeof detail === 'object' && 'specversion' in detail
  const event = isCloudEvent
    ? detail
    : {
        specversion: '1.0',
        id: envelope.id,
        source: envelope.source.replaceAll(/\s/g, '_'),
        type: envelope['detail-type'],
        time: envelope.time,
        datacontenttype: 'application/json',
        data: detail,
      }
  return {
    ...base,
    door: 'bus',
    project: accounts[envelope.account] ?? defaultProject,
    actor: `service:aws/${envelope.account}`,
    content: { kind: 'incoming', event },
  }
}
