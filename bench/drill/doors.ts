import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import type { RunningSystem } from '../running.ts'
import type { Sent } from './ledger.ts'

/** What senders were told: the outside view of what was taken. `again`: requests that came to nothing and were sent again. */
export type Told = { accepted: Set<string>; refused: Set<string>; requests: number; again: number }

const answers = z.array(z.looseObject({ status: z.number() }))
const putAnswer = z.object({ FailedEntryCount: z.number() })

/** Senders as they should be: what was not taken is sent again until it is. `where`: undefined while nothing is up. */
export function senders(where: () => RunningSystem | undefined, bus: string, told: Told) {
  async function until<T>(action: (system: RunningSystem) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        told.requests++
        const system = where()
        if (system !== undefined) return await action(system)
      } catch {
        // it is down, or a function was killed in the middle
      }
      told.again++
      await sleep(500)
    }
  }

  async function http(batch: readonly Sent[]): Promise<void> {
    let left = batch
    while (left.length > 0) {
      const results = await until(async ({ up: { api, apiKey } }) => {
        const response = await fetch(`${api}/events`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${apiKey}`,
            'content-type': 'application/cloudevents-batch+json',
          },
          body: JSON.stringify(left.map(({ event }) => event)),
          signal: AbortSignal.timeout(30_000),
        })
        if (response.status !== 202 && response.status !== 207) throw new Error(`${response.status}`)
        return answers.parse(await response.json())
      })
      left = left.filter(({ id }, index) => {
        const status = results[index]?.status ?? 503
        if (status === 202) told.accepted.add(id)
        else if (status === 422) told.refused.add(id)
        else return true
        return false
      })
    }
  }

  async function put(batch: readonly Sent[]): Promise<void> {
    const Entries = batch.map(({ event }) => ({
      EventBusName: bus,
      Source: 'drill',
      DetailType: String(event.type),
      Detail: JSON.stringify(event),
    }))
    await until(async ({ aws }) => {
      const { FailedEntryCount } = putAnswer.parse(await aws.call('events', 'PutEvents', { Entries }))
      if (FailedEntryCount !== 0) throw new Error('not all were taken')
    })
    for (const { id } of batch) told.accepted.add(id)
  }

  return { http, bus: put }
}
