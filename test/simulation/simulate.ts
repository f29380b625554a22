import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Result } from './schedule.ts'
import type { Task } from './worker.ts'

export type Told = Pick<Result, 'seed' | 'steps' | 'hash' | 'minutes' | 'seen' | 'violations'>

export type Simulated = {
  schedules: number
  steps: number
  /** virtual time of all schedules together */
  minutes: number
  seconds: number
  /** how many schedules have taken a rare path, by its name */
  seen: Readonly<Record<string, number>>
  /** those that violated something, by seed */
  failed: readonly Told[]
}

/** Hands tasks to as many threads as there are cores, each when it is done with the one before. */
async function inThreads(
  tasks: readonly Task[],
  onSchedule: (told: Told, task: Task) => void,
  workers = availableParallelism(),
): Promise<void> {
  const left = [...tasks]
  await Promise.all(
    Array.from(
      { length: Math.min(workers, tasks.length) },
      () =>
        new Promise<void>((resolve, reject) => {
          const thread = new Worker(new URL('./worker.ts', import.meta.url))
          let task: Task | undefined
          const next = (): void => {
            task = left.shift()
            if (task !== undefined) thread.postMessage(task)
            else void thread.terminate().then(() => resolve(), reject)
          }
          thread.on('message', (told: Told | 'done') => {
            if (told === 'done') next()
            else if (task !== undefined) onSchedule(told, task)
          })
          thread.on('error', reject)
          next()
        }),
    ),
  )
}

const perTask = 10

/** Runs schedules of consecutive seeds, on all cores unless said. */
export async function simulate({
  seed,
  schedules,
  workers,
  onSchedule = () => undefined,
}: {
  seed: number
  schedules: number
  workers?: number | undefined
  onSchedule?: (told: Told, done: number) => void
}): Promise<Simulated> {
  const began = performance.now()
  const seen: Record<string, number> = {}
  const failed: Told[] = []
  let [done, steps, minutes] = [0, 0, 0]
  const tasks = Array.from({ length: Math.ceil(schedules / perTask) }, (_, index) => ({
    from: seed + index * perTask,
    schedules: Math.min(perTask, schedules - index * perTask),
    stopAtFirst: false,
  }))
  await inThreads(
    tasks,
    (told) => {
      done++
      steps += told.steps
      minutes += told.minutes
      for (const name of told.seen) seen[name] = (seen[name] ?? 0) + 1
      if (told.violations.length > 0) failed.push(told)
      onSchedule(told, done)
    },
    workers,
  )
  failed.sort((a, b) => a.seed - b.seed)
  return { schedules: done, steps, minutes, seconds: (performance.now() - began) / 1000, seen, failed }
}

/** What found a planted bug, after how many schedules; undefined: nothing did. */
export type Finding = { bug: string; schedules: number; told: Told | undefined }

/** Runs schedules with each bug until one violates something. `near`: where to begin with some of them, instead of `seed`. */
export async function hunt(
  names: readonly string[],
  {
    seed,
    near = {},
    schedules,
    workers,
  }: {
    seed: number
    near?: Readonly<Record<string, number>>
    schedules: number
    workers?: number | undefined
  },
): Promise<Finding[]> {
  const findings = new Map(
    names.map((bug): [string, Finding] => [bug, { bug, schedules: 0, told: undefined }]),
  )
  await inThreads(
    names.map((bug) => ({ from: near[bug] ?? seed, schedules, bug, stopAtFirst: true })),
    (told, { bug = '' }) => {
      const finding = findings.get(bug)
      if (finding === undefined) return
      finding.schedules++
      if (told.violations.length > 0) finding.told = told
    },
    workers,
  )
  return [...findings.values()]
}
