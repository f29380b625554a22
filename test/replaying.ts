import { consume } from '../core/consume/consume.ts'
import type { Consumed } from '../core/consume/task.ts'
import type { HandledAny, HandlerAny } from '../core/event/handler.ts'
import { relay } from '../core/gate/relay.ts'
import type { Controls } from '../core/hold/control.ts'
import { subscriberControls } from '../core/hold/subscriber-controls.ts'
import { changeJob, type Job, jobList, loadJob, jobOf as readJob, resume } from '../core/job/job.ts'
import type { BatchAnswer } from '../core/job/job-batch.ts'
import { redriveBatch } from '../core/mend/redrive.ts'
import type { Commit } from '../core/ports.ts'
import { newRebuild } from '../core/replay/rebuild.ts'
import { newReplay } from '../core/replay/replay.ts'
import { replayBatch } from '../core/replay/replay-batch.ts'
import type { RebuildAsked, ReplayAsked } from '../core/replay/replay-job.ts'
import { repositoryAnalyzed } from '../events/repository.analyzed.ts'
import type { Route } from '../events/route.ts'
import { byHttp, push } from './arrivals.ts'
import { minutes, testRoutes, world } from './world.ts'

const isOpenRedrive = ({ kind, state }: Job): boolean => kind === 'redrive' && state === 'running'

/** What the tests of replays and rebuilds share: jobs that run batch by batch, and handlers that take what is sent. */

export type ReplayWorld = ReturnType<typeof replayWorld>

export function replayWorld({ routes = testRoutes }: { routes?: readonly Route[] } = {}) {
  const w = world({ routes })
  let made = 0
  const newId = () => `id${String(++made).padStart(14, '0')}`
  const deps = { ...w.deps, newId }
  const project = 'main'

  async function commit({ write, outbox }: { write: Commit['writes'][number]; outbox: Commit['outbox'] }) {
    await w.stores.memory.commit({ writes: [write], outbox })
    const keys = outbox.map(({ partitionkey }) => ({ project, partitionkey }))
    await relay(keys, { ...w.deps, ...w.stores })
  }

  const asking = (rate: number) => ({ project, id: newId(), by: 'user:k1', asked: w.clock(), rate })

  /** What is to be seen again stays on its queue. */
  async function handle(subscriber: string, handler: HandlerAny): Promise<Consumed[]> {
    const route = routes.find((one) => one.subscriber === subscriber)
    if (route === undefined) throw new Error(`no route ${subscriber}`)
    const bodies = w.stores.queues.take(subscriber)
    const messages = bodies.map((body) => {
      const receiveCount = (receives.get(body) ?? 0) + 1
      receives.set(body, receiveCount)
      return { body, receiveCount }
    })
    const controls = controlsOf(subscriber)
    const consumed = await consume(route, handler, messages, { ...w.deps, ...w.stores, controls })
    const again = bodies.filter((_, index) => consumed[index]?.again !== undefined)
    if (again.length > 0) await w.stores.queues.send(subscriber, again)
    return consumed
  }
  const receives = new Map<string, number>()
  const known = new Map<string, Controls>()
  function controlsOf(subscriber: string): Controls {
    const { memory, ephemeral } = w.stores
    const controls =
      known.get(subscriber) ?? subscriberControls({ memory, ephemeral, clock: w.clock, newId, subscriber })
    known.set(subscriber, controls)
    return controls
  }

  const jobOf = (id: string) => loadJob(project, id, w.stores.memory)

  /** One batch of a run, through the watched ports. */
  async function batch(id: string, seconds = 20): Promise<BatchAnswer> {
    const { request, attempt } = await jobOf(id)
    const event = { project, ...request, partitionkey: `job/${id}`, correlationid: request.id, hops: 0 }
    return replayBatch({ event, attempt }, deps, seconds)
  }

  return {
    ...w,
    deps,
    handle,
    batch,
    job: jobOf,
    replay: async (subscriber: string, selection: ReplayAsked, rate = 1000): Promise<string> => {
      const made = newReplay(asking(rate), subscriber, selection, routes)
      await commit(made)
      return made.job.id
    },
    rebuild: async (subscriber: string, selection: RebuildAsked = {}, rate = 1000): Promise<string> => {
      const made = newRebuild(asking(rate), subscriber, selection, routes)
      await commit(made)
      return made.job.id
    },
    /** Does the jobs that send what was parked, with all that they wait for. */
    release: async (): Promise<void> => {
      const listing = await w.stores.memory.list({ project, list: jobList, limit: 100 })
      const open = listing.items.flatMap((record) => readJob(record) ?? []).filter(isOpenRedrive)
      for (const { id, request, attempt } of open) {
        await relay([{ project, partitionkey: `job/${id}` }], { ...w.deps, ...w.stores })
        const event = { project, ...request, partitionkey: `job/${id}`, correlationid: request.id, hops: 0 }
        const pause = async (milliseconds: number) => w.advance(milliseconds)
        await redriveBatch({ event, attempt }, { ...deps, ...w.stores, pause }, 5)
      }
    },
    resume: (id: string) => changeJob(project, id, w.stores.memory, (job) => resume(job, w.clock)),
    /** Batch after batch to the end of the job; `between` plays the consumers. Answers the job. */
    run: async (id: string, between: () => Promise<unknown>): Promise<Job> => {
      for (let batches = 0; batches < 500; batches++) {
        const { state, wait } = await batch(id)
        if (state === 'ended') return jobOf(id)
        await between()
        w.advance(wait * 1000)
      }
      throw new Error(`job ${id} has no end: ${JSON.stringify(await jobOf(id))}`)
    },
    /** What the outbox tells, by the type of event. */
    told: (type: string) =>
      w.stores.memory
        .all()
        .outbox.map(({ frame }) => frame as { event: { type: string; data: unknown } })
        .filter(({ event }) => event.type === type)
        .map(({ event }) => event.data),
  }
}

export const analyzed = { type: repositoryAnalyzed, data: repositoryAnalyzed.example } as const

/** Notes what it is given. */
export function noting() {
  const seen: HandledAny[] = []
  const handler: HandlerAny = async (handled) => {
    seen.push(handled)
    return [analyzed]
  }
  return { seen, handler, ids: () => seen.map(({ event }) => event.id) }
}

/** Pushes at one a minute, all of them handled by analyze. */
export async function pushed(w: ReplayWorld, count: number, from = 1): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, n) => `push-${n + from}`)
  for (const id of ids) {
    await w.record(byHttp(push(id), { received: w.clock() }))
    w.advance(minutes)
  }
  await w.handle('analyze', noting().handler)
  w.stores.queues.take('validate')
  w.stores.queues.take('record')
  return ids
}
