import { setTimeout as sleep } from 'node:timers/promises'
import {
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import * as z from 'zod'
import { routes } from '../../events/routes.ts'
import { runningSystem } from '../running.ts'

export type System = Awaited<ReturnType<typeof system>>

type Surge = {
  /** seconds at `base` before it */
  before: number
  /** events a second */
  base?: number
  rate: number
  hold: number
}

/** The running local system: its door, and how much waits in its queues. */
export async function system() {
  const { up, settings, config, aws, queues } = await runningSystem()

  async function send(events: readonly object[]): Promise<void> {
    const response = await fetch(`${up.api}/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${up.apiKey}`,
        'content-type': 'application/cloudevents-batch+json',
      },
      body: JSON.stringify(events),
    })
    if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`)
  }

  const attributes = z.object({ Attributes: z.record(z.string(), z.coerce.number()) })
  /** Messages that wait or are being handled. */
  async function depth(queue: string): Promise<number> {
    const answer = await aws.call('sqs', 'GetQueueAttributes', {
      QueueUrl: queues + queue,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    })
    return Object.values(attributes.parse(answer).Attributes).reduce((sum, one) => sum + one, 0)
  }
  const names = [
    'record',
    ...routes.map((route) => `${route.subscriber}${'ordered' in route ? '.fifo' : ''}`),
  ]

  /** Nothing waits in any queue, three times in a row; runs of workflows go on between queues. */
  async function settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; await sleep(1000)) {
      const waiting = (await Promise.all(names.map(depth))).reduce((sum, one) => sum + one, 0)
      quiet = waiting === 0 ? quiet + 1 : 0
    }
  }

  /** Events for `notify` in batches of a quarter of a second, and how its queue grows and empties. */
  async function surge(make: () => object, { before, base = 0, rate, hold }: Surge) {
    const every = 0.25
    const since = new Date().toISOString()
    const pending: Promise<void>[] = []
    const feed = async (perSecond: number, span: number): Promise<{ perSecond: number; took: number }> => {
      const began = performance.now()
      let sent = 0
      for (let slot = 1; slot <= span / every; slot++) {
        const due = Math.round(perSecond * every * slot) - sent
        if (due > 0) pending.push(send(Array.from({ length: due }, make)))
        sent += Math.max(0, due)
        await sleep(Math.max(0, began + 1000 * every * slot - performance.now()))
      }
      const took = (performance.now() - began) / 1000
      return { perSecond: sent / took, took }
    }
    const low = before > 0 ? await feed(base, before) : undefined
    const began = performance.now()
    const at = () => (performance.now() - began) / 1000
    const seen: { at: number; waiting: number }[] = []
    let over = false
    const watching = (async () => {
      while (!over) {
        seen.push({ waiting: await depth('notify'), at: at() })
        await sleep(100)
      }
    })()
    const high = await feed(rate, hold)
    const after = base > 0 ? feedUntilEmpty() : Promise.resolve()
    async function feedUntilEmpty(): Promise<void> {
      while (!over) await feed(base, 1)
    }
    await Promise.all(pending)
    const whenEmpty = base > 0 ? 2 : 0
    for (let last = seen.length; ; await sleep(100)) {
      const fresh = seen.slice(last).find(({ waiting }) => waiting <= whenEmpty)
      if (fresh !== undefined && at() > high.took) {
        over = true
        await Promise.all([watching, after])
        const peak = Math.max(...seen.map(({ waiting }) => waiting))
        await settled()
        return {
          since,
          until: new Date().toISOString(),
          ...{ peak, drained: fresh.at, held: high.took, sent: high.perSecond },
          sentBefore: low?.perSecond ?? 0,
          handledPerSecond: (high.perSecond * high.took) / fresh.at,
        }
      }
    }
  }

  return { send, depth, settled, surge, settings, config }
}

/** A mapping as if it were deployed with a batch of one; answers what puts it back. */
export async function oneAtATime({ settings, config }: System, name: string): Promise<() => Promise<void>> {
  const client = new LambdaClient(settings)
  const { EventSourceMappings = [] } = await client.send(
    new ListEventSourceMappingsCommand({ FunctionName: config.functions[name] }),
  )
  const [mapping] = EventSourceMappings
  if (mapping?.UUID === undefined) throw new Error(`${name} has no mapping`)
  const { UUID, BatchSize = 10 } = mapping
  const change = async (size: number) => {
    await client.send(new UpdateEventSourceMappingCommand({ UUID, BatchSize: size }))
    const now = await client.send(new GetEventSourceMappingCommand({ UUID }))
    if (now.BatchSize !== size) throw new Error(`${name} has batches of ${now.BatchSize}`)
  }
  await change(1)
  return () => change(BatchSize)
}
