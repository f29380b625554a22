import { buildRecord, track as trackBuild } from '../core/domain/build.ts'
import { observe } from '../core/domain/build-observation.ts'
import { historyRecord, track as trackRepository } from '../core/domain/repository-history.ts'
import { runRecord, track as trackRun } from '../core/domain/run.ts'
import type { HandlerAny } from '../core/event/handler.ts'
import { projectWrite } from '../core/gate/access.ts'
import { controlOf, controlRecord, pauseOf } from '../core/hold/control.ts'
import type { Job } from '../core/job/job.ts'
import type { Random } from '../core/ports.ts'
import { rebuildProgress } from '../core/replay/rebuild-state.ts'
import { githubWorkflowRunCompleted } from '../events/github.workflow-run.completed.ts'
import { repositoryUpdated } from '../events/repository.updated.ts'
import { routes } from '../events/routes.ts'
import { testCompleted } from '../events/test.completed.ts'
import { byHttp, queued, status } from './arrivals.ts'
import { type ReplayWorld, replayWorld } from './replaying.ts'
import { minutes } from './world.ts'

/** What the tests of rebuilds share: the product's subscribers of effect state, and histories for them. */

export const handlers: Readonly<Record<string, HandlerAny>> = {
  'track-build': async (handled, memory) => {
    const observation = observe(handled as never)
    if (observation === undefined) return undefined
    const { repository, branch } = observation
    return trackBuild('main', observation, await memory?.get(buildRecord('main', repository, branch)))
  },
  'track-run': async (handled, memory) => {
    const { workflow, run } = handled.data as { workflow: string; run: string }
    const write = trackRun('main', handled as never, await memory?.get(runRecord('main', workflow, run)))
    return write && { writes: [write], emits: [], sequence: write.version }
  },
  'track-repository': async ({ event, data }, memory) => {
    const declared = repositoryUpdated.schema.parse(data)
    return trackRepository(event, declared, await memory?.get(historyRecord('main', declared.repository)))
  },
}

const names = Object.keys(handlers)
/** Its project is as old as its first event, unless nobody knows since when it is there. */
export function rebuildWorld({ isRegistered = true }: { isRegistered?: boolean } = {}): ReplayWorld {
  const w = replayWorld({ routes: routes.filter(({ subscriber }) => names.includes(subscriber)) })
  if (isRegistered) void w.stores.memory.commit({ writes: [projectWrite('main', w.clock())], outbox: [] })
  return w
}

export async function handleAll(w: ReplayWorld): Promise<void> {
  for (const name of names) await w.handle(name, handlers[name] ?? unknown(name))
}

const pick = <T>(random: Random, ...items: T[]): T => items[Math.floor(random() * items.length)] as T

let made = 0

function unknown(name: string): never {
  throw new Error(`no handler ${name}`)
}

/** Some event of builds, tests or runs, however late: commits, attempts and ends in any order. */
export async function something(w: ReplayWorld, random: Random): Promise<void> {
  const id = `e${++made}`
  const received = w.clock()
  const kind = random()
  if (kind < 0.3)
    await w.record(
      byHttp(
        {
          ...{ specversion: '1.0', id, source: '/ci', type: testCompleted.type },
          data: {
            ...testCompleted.example,
            commit: pick(random, 'c1', 'c2'),
            failed: pick(random, 0, 1),
            suite: pick(random, 'unit', 'e2e'),
          },
        },
        { received },
      ),
    )
  else if (kind < 0.7) {
    const example = githubWorkflowRunCompleted.example
    const run = {
      ...example.workflow_run,
      id: 1 + Math.floor(random() * 5),
      run_attempt: pick(random, 1, 2),
      head_branch: pick(random, 'main', 'next'),
      conclusion: pick(random, 'success', 'failure', 'cancelled'),
      updated_at: new Date(Date.parse(received) - Math.floor(random() * 1e7)).toISOString(),
    }
    await w.record(
      byHttp(
        {
          ...{ specversion: '1.0', id, source: 'https://github.com/octo/hello' },
          ...{ type: githubWorkflowRunCompleted.type, data: { ...example, workflow_run: run } },
        },
        { received },
      ),
    )
  } else {
    const name = `run-${Math.floor(random() * 6)}`
    const ended = random() < 0.5
    await w.record(queued(status({ name, status: ended ? pick(random, 'SUCCEEDED', 'FAILED') : 'RUNNING' })))
  }
  w.advance(Math.floor(random() * 3 * minutes))
}

export async function history(w: ReplayWorld, random: Random, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await something(w, random)
    if (random() < 0.3) await handleAll(w)
  }
  await handleAll(w)
}

/** What is live of a kind, by name. */
export const live = (w: ReplayWorld, kind: string) =>
  Object.fromEntries(
    w.stores.memory
      .all()
      .records.filter((record) => record.kind === kind)
      .map(({ name, value, place }) => [name, { value, place }]),
  )

export const isPaused = async (w: ReplayWorld, subscriber: string): Promise<boolean> =>
  pauseOf(controlOf(await w.stores.memory.get(controlRecord('main', subscriber)))) !== undefined

export const reportOf = (job: Job) => rebuildProgress.parse(job.progress).report
