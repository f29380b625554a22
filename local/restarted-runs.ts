import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type Api, ask, get } from './api.ts'

const run = z.object({ workflow: z.string(), run: z.string(), error: z.string().optional() })
const runs = z.object({ items: z.array(run), next: z.string().optional() })

/** what a run fails with that the endpoint found running when it started */
const restarted = 'States.ServiceRestart'

/** Milliseconds: a status that lay on a queue when the endpoint ended is told within this, and with it that there was a run. */
const watched = 180_000
const between = 10_000

/**
 * Starts such runs once more, again and again for a while after the start: of a run that had just begun nobody has told
 * yet when it is first looked for. `told` is called with how many, each time there were some.
 */
export async function watchRestartedRuns(
  api: Api,
  stop: AbortSignal,
  told: (count: number) => void,
): Promise<void> {
  for (const end = Date.now() + watched; Date.now() < end && !stop.aborted; ) {
    const count = await restartRuns(api)
    if (count > 0) told(count)
    await sleep(between, undefined, { signal: stop }).catch(() => undefined)
  }
}

/**
 * Starts once more the runs that a restart of the endpoint failed. Answers how many.
 * Those it has just failed are still listed as running, because nobody has told of their end; those of an earlier
 * restart, after which nobody came here, have it in their error. A run that was retried already is refused, and left.
 */
export async function restartRuns(api: Api): Promise<number> {
  const running = await listed(api, 'running')
  const shown = await Promise.all(
    running.map(({ workflow, run: name }) => get(api, `/v1/runs/${path(workflow, name)}`, run)),
  )
  let started = 0
  for (const { workflow, run: name, error } of [...shown, ...(await listed(api, 'failed'))]) {
    if (error !== restarted) continue
    const { status, body } = await ask(api, `/v1/runs/${path(workflow, name)}/retry`, 'POST')
    if (status === 202) started++
    else if (status !== 409)
      throw new Error(`the retry of ${workflow}/${name} was answered ${status}: ${JSON.stringify(body)}`)
  }
  return started
}

const path = (workflow: string, name: string) => [workflow, name].map(encodeURIComponent).join('/')

async function listed(api: Api, status: 'running' | 'failed') {
  const items: z.infer<typeof run>[] = []
  let cursor: string | undefined
  do {
    const query = new URLSearchParams({ status, limit: '100', ...(cursor === undefined ? {} : { cursor }) })
    const page = await get(api, `/v1/runs?${query}`, runs)
    items.push(...page.items)
    cursor = page.next
  } while (cursor !== undefined)
  return items
}
