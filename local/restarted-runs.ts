import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { atMost } from '../core/at-most.ts'
import { reasonOf } from '../core/errors.ts'
import { isJobWorkflow } from '../core/job/job.ts'
import { type Api, ask, get } from './api.ts'

const run = z.object({ workflow: z.string(), run: z.string(), error: z.string().optional() })
type Run = z.infer<typeof run>

const job = z.object({ id: z.string(), run: z.object({ workflow: z.string(), run: z.string() }) })

/** what a run fails with that the endpoint found running when it started */
const restarted = 'States.ServiceRestart'

/** Milliseconds: a status that lay on a queue when the endpoint ended is told within this, and with it that there was a run. */
const watched = 180_000
const between = 10_000

/**
 * Starts such runs once more, again and again for a while after the start: of a run that had just begun nobody has told
 * yet when it is first looked for. An endpoint that has much to do after its start may not answer: that is said, and
 * tried again.
 */
export async function watchRestartedRuns(
  api: Api,
  stop: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  for (const end = Date.now() + watched; Date.now() < end && !stop.aborted; ) {
    try {
      const count = await restartRuns(api)
      if (count > 0) say(`started ${count} runs once more that the last end of the endpoint broke off`)
    } catch (error) {
      if (!stop.aborted) say(`runs that the last end broke off were not looked after yet: ${reasonOf(error)}`)
    }
    await sleep(between, undefined, { signal: stop }).catch(() => undefined)
  }
}

/**
 * Starts once more the runs that a restart of the endpoint failed. Answers how many.
 * Those it has just failed are still listed as running, because nobody has told of their end; those of an earlier
 * restart, after which nobody came here, have it in their error. A run that was retried already is refused, and left.
 * Where a job was at work, the job is resumed: its runs are not tried again by themselves.
 */
export async function restartRuns(api: Api): Promise<number> {
  const running = await listed(api, 'runs', 'running', run)
  // each question may start a process of its own there, and there may be hundreds
  const few = atMost(4)
  const shown = await Promise.all(
    running.map(({ workflow, run: name }) => few(() => get(api, `/v1/runs/${path(workflow, name)}`, run))),
  )
  const all = [...shown, ...(await listed(api, 'runs', 'failed', run))]
  const [ofJobs, others] = partition(
    all.filter(({ error }) => error === restarted),
    ({ workflow }) => isJobWorkflow(workflow),
  )
  const jobs = ofJobs.length === 0 ? [] : await listed(api, 'jobs', 'interrupted', job)
  const waiting = jobs.filter((one) =>
    ofJobs.some(({ workflow, run: name }) => one.run.workflow === workflow && one.run.run === name),
  )
  const calls = [
    ...others.map(({ workflow, run: name }) => `/v1/runs/${path(workflow, name)}/retry`),
    ...waiting.map(({ id }) => `/v1/jobs/${path(id)}/resume`),
  ]
  let started = 0
  for (const call of calls) if (await isStarted(api, call)) started++
  return started
}

/** False when somebody else has done it already. */
async function isStarted(api: Api, call: string): Promise<boolean> {
  const { status, body } = await ask(api, call, 'POST')
  if (status !== 202 && status !== 409)
    throw new Error(`POST ${call} was answered ${status}: ${JSON.stringify(body)}`)
  return status === 202
}

const partition = (all: readonly Run[], first: (one: Run) => boolean): [Run[], Run[]] => [
  all.filter(first),
  all.filter((one) => !first(one)),
]

const path = (...names: string[]) => names.map(encodeURIComponent).join('/')

async function listed<Item extends z.ZodType>(
  api: Api,
  what: 'runs' | 'jobs',
  state: string,
  item: Item,
): Promise<z.infer<Item>[]> {
  const page = z.object({ items: z.array(item), next: z.string().optional() })
  const items: z.infer<Item>[] = []
  let cursor: string | undefined
  do {
    const query = new URLSearchParams({
      [what === 'runs' ? 'status' : 'state']: state,
      limit: '100',
      ...(cursor === undefined ? {} : { cursor }),
    })
    const found = await get(api, `/v1/${what}?${query}`, page)
    items.push(...found.items)
    cursor = found.next
  } while (cursor !== undefined)
  return items
}
