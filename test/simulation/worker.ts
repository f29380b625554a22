import { parentPort } from 'node:worker_threads'
import * as z from 'zod'
import { runSchedule } from './schedule.ts'

/** One of several threads that run schedules: it is sent tasks, and says what each schedule of them came to. */

const task = z.object({
  from: z.number(),
  schedules: z.number(),
  bug: z.string().optional(),
  /** ends with the first that violates something */
  stopAtFirst: z.boolean(),
})
export type Task = z.infer<typeof task>

// what the functions tell goes into no log here
console.log = () => undefined
console.warn = () => undefined

parentPort?.on('message', async (given) => {
  const { from, schedules, bug, stopAtFirst } = task.parse(given)
  for (let seed = from; seed < from + schedules; seed++) {
    const { steps, hash, minutes, seen, violations } = await runSchedule(seed, { bug })
    parentPort?.postMessage({ seed, steps, hash, minutes, seen, violations })
    if (stopAtFirst && violations.length > 0) break
  }
  parentPort?.postMessage('done')
})
