import { createHmac, randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { inject } from 'vitest'
import { s3Bodies } from '../../adapters/aws/bodies.ts'
import { connect } from '../../adapters/aws/clients.ts'
import { dynamoHistory } from '../../adapters/aws/history.ts'
import { dynamoMemory } from '../../adapters/aws/memory.ts'
import { stepFunctions } from '../../adapters/aws/workflows.ts'
import type { Delivery, DeliveryKey, Fate, History } from '../../core/ports.ts'
import type { Identity } from '../../events/envelope.ts'

/** The stage that the global setup has deployed, and what an outsider or an operator does with it. */
export function deployedStage() {
  const endpoint = inject('endpoint')
  const { api, apiKey: key, webhookSecret, config } = inject('deployed')
  const aws = connect({ endpoint })
  const clock = () => new Date().toISOString()
  const bodies = s3Bodies({ aws, bucket: config.bucket })
  const retentionOf = () => 'project' as const
  const history: History = dynamoHistory({ aws, table: config.historyTable, retentionOf, bodies, clock })
  const memory = dynamoMemory({ aws, table: config.memoryTable, clock })
  const workflows = stepFunctions({ aws, prefix: config.stateMachinePrefix })

  return {
    endpoint,
    config,
    api,
    key,
    aws,
    history,
    memory,
    workflows,

    /** A request with the stage's key, or with other headers; answers status, headers and parsed body. */
    async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
      const response = await fetch(`${api}${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          authorization: `Bearer ${key}`,
          ...headers,
        },
        ...(body === undefined
          ? {}
          : { body: typeof body === 'string' || body instanceof Buffer ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        body: JSON.parse(text || 'null'),
      }
    },

    /** A delivery as GitHub sends it. */
    async webhook(
      event: string,
      payload: unknown,
      how: { delivery?: string; signature?: string; secret?: string } = {},
    ) {
      const { delivery = randomUUID(), secret: signedWith = webhookSecret } = how
      const body = JSON.stringify(payload)
      const signature =
        how.signature ?? `sha256=${createHmac('sha256', signedWith).update(body).digest('hex')}`
      const response = await fetch(`${api}/webhooks/github`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-github-event': event,
          'x-github-delivery': delivery,
          'x-hub-signature-256': signature,
        },
        body,
      })
      return { delivery, status: response.status, body: JSON.parse(await response.text()) }
    },

    putEvents: (entries: { source: string; type: string; detail: unknown }[]) =>
      new EventBridgeClient().send(
        new PutEventsCommand({
          Entries: entries.map(({ source, type, detail }) => ({
            EventBusName: config.inboxBus,
            Source: source,
            DetailType: type,
            Detail: JSON.stringify(detail),
          })),
        }),
      ),

    /** Puts events in by one request, and expects that each is recorded. */
    async put(events: readonly object[]) {
      const type = 'application/cloudevents-batch+json'
      const { status, body } = await this.call('POST', '/events', events, { 'content-type': type })
      if (status !== 202) throw new Error(`the events were not all recorded: ${JSON.stringify(body)}`)
    },

    /** The fate of an event once each delivery that it expects is done, or given up. */
    settled: (identity: Identity) =>
      eventually(async () => {
        const fate = await history.fate(identity)
        const isOver = (name: string) =>
          ['done', 'dead', 'dropped'].includes(deliveryTo(fate, name)?.state ?? '')
        const waiting = fate.stored?.expects.filter((name) => !isOver(name)) ?? ['the event itself']
        if (waiting.length > 0) throw new Error(`waiting for ${waiting.join(', ')}`)
        return fate
      }),
  }
}

export type Stage = ReturnType<typeof deployedStage>

export const deliveryTo = ({ deliveries }: Fate, subscriber: string): (DeliveryKey & Delivery) | undefined =>
  deliveries.find((delivery) => delivery.subscriber === subscriber && delivery.replay === '')

/** Tries until it no longer throws; after `seconds` the last failure is the test's. */
export async function eventually<T>(look: () => Promise<T>, seconds = 30): Promise<T> {
  const end = Date.now() + seconds * 1000
  for (;;) {
    try {
      return await look()
    } catch (error) {
      if (Date.now() > end) throw error
      await sleep(100)
    }
  }
}

type Payload = Record<string, unknown>

const examples: { name: string; examples: Payload[] }[] = createRequire(import.meta.url)(
  '@octokit/webhooks-examples',
)

/** A real payload of GitHub's own examples; made unlike any other by `change`. */
export function payload(event: string, fits: (example: Payload) => boolean, change: Payload = {}): Payload {
  const found = examples.find(({ name }) => name === event)?.examples.find(fits)
  if (found === undefined) throw new Error(`no example of ${event} fits`)
  return { ...structuredClone(found), ...change }
}

/** So many events that `notify` alone is for, each unlike any other. */
export const deployments = (many: number, data: object = {}) =>
  Array.from({ length: many }, (_, index) => ({
    specversion: '1.0',
    id: randomUUID(),
    source: 'https://deploy.example.com',
    type: 'deployment.failed',
    data: {
      repository: `octo/${randomUUID().slice(0, 8)}`,
      environment: 'production',
      reason: `health check ${index} did not pass`,
      ...data,
    },
  }))

/** A commit id that nobody has used. */
export const commitId = (): string => randomUUID().replaceAll('-', '').padEnd(40, '0')

export const pushPayload = (change: Payload = {}): Payload =>
  payload('push', ({ ref }) => ref === 'refs/heads/master', { after: commitId(), ...change })
