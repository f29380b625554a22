import type { SQSEvent } from 'aws-lambda'
import type { History, Queues, StoredEvent } from '../../core/ports.ts'
import { testCompleted } from '../../events/test.completed.ts'
import type { Observed } from './observed.ts'
import type { Ports } from './ports.ts'

/**
 * What a process of newer code does to the world: it knows one version more of a type, and writes it. The catalogue is
 * one for all processes here, so the version is changed on the way in and out: what newer code has written says the next
 * version, and older code finds that it does not know it.
 */

const known = testCompleted.version
const next = known + 1

const withVersion = (stored: StoredEvent, from: number, to: number): StoredEvent =>
  stored.event.type === testCompleted.type && stored.event.dataversion === from
    ? { ...stored, event: { ...stored.event, dataversion: to } }
    : stored

const written = (stored: StoredEvent): StoredEvent => withVersion(stored, known, next)
const read = (stored: StoredEvent): StoredEvent => withVersion(stored, next, known)

const schema = (version: number): string => `/${testCompleted.type}/${version}"`
const version = (number: number): string => `"dataversion":${number}`

const outward = (body: string): string =>
  body.includes(`"type":"${testCompleted.type}"`) ? body.replaceAll(version(known), version(next)) : body
const inward = (text: string): string =>
  text.replaceAll(version(next), version(known)).replaceAll(schema(next), schema(known))

export function portsOfNewerCode(ports: Ports): Ports {
  const { history, queues } = ports
  const methods: Record<string, unknown> = {}
  for (const name of Object.keys(history)) methods[name] = Reflect.get(history, name)
  return {
    ...ports,
    history: {
      ...(methods as unknown as History),
      insertEvents: (events) => history.insertEvents(events.map(written)),
      getEvents: async (identities) =>
        (await history.getEvents(identities)).map((stored) => stored && read(stored)),
      fate: async (identity, how) => {
        const { stored, deliveries } = await history.fate(identity, how)
        return { stored: stored && read(stored), deliveries }
      },
    },
    queues: {
      depth: (queue) => queues.depth(queue),
      send: (queue, messages) =>
        queues.send(
          queue,
          messages.map((message) =>
            typeof message === 'string' ? outward(message) : { ...message, body: outward(message.body) },
          ),
        ),
    } satisfies Queues,
  }
}

/** What newer code is called with: a batch of messages, or a request. */
export function callOfNewerCode<Event>(event: Event): Event {
  const given = event as Partial<SQSEvent> & { body?: Uint8Array }
  if (given.Records?.[0]?.body !== undefined)
    return { ...event, Records: given.Records.map((record) => ({ ...record, body: inward(record.body) })) }
  if (given.body instanceof Uint8Array)
    return { ...event, body: Buffer.from(inward(Buffer.from(given.body).toString())) }
  return event
}

/** The schema that its senders name, as soon as there is newer code. */
export const nextSchema = `https://loadpath.dev/schemas/${testCompleted.type}/${next}`

/** What code is given that reads the first version of a type no more: to it that is data which does not fit. */
export const withoutOldVersions = (
  event: SQSEvent,
  { sometimes }: Pick<Observed, 'sometimes'>,
): SQSEvent => ({
  Records: event.Records.map((record) => {
    const { body } = record
    if (!body.includes(`"type":"${testCompleted.type}"`) || !body.includes(version(1))) return record
    sometimes('an old version is read no more')
    return { ...record, body: body.replaceAll('"failures":', '"retired":') }
  }),
})
