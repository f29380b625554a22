import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type Api, get } from './api.ts'

const fate = z.object({
  deliveries: z.array(z.object({ state: z.string(), run: z.object({ status: z.string() }).optional() })),
})

const isOver = (found: z.infer<typeof fate>) =>
  found.deliveries.every(
    ({ state, run }) =>
      ['done', 'dead', 'dropped'].includes(state) && !['starting', 'running'].includes(run?.status ?? ''),
  )

/** Waits until every delivery of an event, and every run that one started, has ended. False: not within `patience` ms. */
export async function settled(api: Api, id: string, stop: AbortSignal, patience = 20_000): Promise<boolean> {
  for (const deadline = Date.now() + patience; Date.now() < deadline; ) {
    if (isOver(await get(api, `/v1/events/${encodeURIComponent(id)}/fate`, fate))) return true
    await sleep(200, undefined, { signal: stop })
  }
  return false
}
