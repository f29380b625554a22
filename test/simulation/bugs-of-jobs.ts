import type { Control } from '../../core/hold/control.ts'
import { idempotencyKey } from '../../core/identity.ts'
import { type Job, jobOf } from '../../core/job/job.ts'
import type { MemoryWrite } from '../../core/ports.ts'
import type { Process } from './calls.ts'
import { type Bug, inMemory, inSends, reframed } from './planting.ts'
import type { Stores } from './stores.ts'

/** The same of what people have asked for: redrives, replays and rebuilds, and further runs. */

const isBatch = ({ kind }: Process): boolean => kind.endsWith('-batch')

/** A batch goes by another job than there is, and writes down what there is. */
const misread = (change: (job: Job) => Partial<Job>): Bug => ({
  ports: inMemory((memory, process, { real }) =>
    isBatch(process)
      ? {
          async get(key) {
            const record = await memory.get(key)
            const job = key.kind === 'job' ? jobOf(record) : undefined
            return record && job ? { ...record, value: { ...job, ...change(job) } } : record
          },
          async commit({ writes, ...rest }) {
            const restored = writes.map(async (write): Promise<MemoryWrite> => {
              const job = write.kind === 'job' ? jobOf(await real.memory.get(write)) : undefined
              if (job === undefined) return write
              const changed = Object.keys(change(job)) as (keyof Job)[]
              const own = Object.fromEntries(changed.map((name) => [name, job[name]]))
              return { ...write, value: { ...(write.value as Job), ...own } }
            })
            return memory.commit({ ...rest, writes: await Promise.all(restored) })
          },
        }
      : {},
  ),
})

const filters = ['type', 'key', 'story', 'until', 'event', 'reason', 'since', 'where'] as const
const without = (selection: unknown, names: readonly string[]): unknown =>
  Object.fromEntries(Object.entries(selection as object).filter(([name]) => !names.includes(name)))

export const jobBugs: Readonly<Record<string, Bug>> = {
  'the filters of a redrive are not looked at': misread(({ kind, selection }) =>
    kind === 'redrive' ? { selection: without(selection, filters) } : {},
  ),

  'of a redrive the reason is not looked at': misread(({ kind, selection }) =>
    kind === 'redrive' ? { selection: without(selection, ['reason']) } : {},
  ),

  'of a redrive the data is not looked at': misread(({ kind, selection }) =>
    kind === 'redrive' ? { selection: without(selection, ['where']) } : {},
  ),

  'the type and the key of a replay are not looked at': misread(({ kind, selection }) =>
    kind === 'replay' ? { selection: without(selection, ['type', 'key']) } : {},
  ),

  'a stopped job goes on': misread(({ state }) =>
    state === 'stopped' ? { state: 'running', ended: undefined, reason: undefined } : {},
  ),

  'a job that is paused goes on': misread(({ state }) => (state === 'paused' ? { state: 'running' } : {})),

  'a job sends as fast as it can': misread(() => ({ rate: 1000 })),

  'a run that is tried again has the name of the first': {
    ports: (ports, process, world) =>
      inSends((send, { kind }) =>
        kind === 'api'
          ? reframed(
              (queue) => queue === 'test-and-validate',
              (frame) => ({ ...frame, attempt: 1 }),
            )(send)
          : send,
      )(ports, process, world),
  },

  'a replay acts under the key of what is live': {
    handler:
      (handler, { subscriber }) =>
      (handled, memory) =>
        handler({ ...handled, idempotencyKey: idempotencyKey(handled.event, subscriber, '') }, memory),
  },

  'a rebuild does not catch up': {
    ports: inMemory((memory, process) =>
      isBatch(process)
        ? {
            commit: (change) =>
              memory.commit({
                ...change,
                writes: change.writes.map((write) => {
                  const job = write.value as Job & { progress?: { stage?: string } }
                  return write.kind === 'job' && job.progress?.stage === 'rest'
                    ? { ...write, value: { ...job, progress: { ...job.progress, stage: 'compare' } } }
                    : write
                }),
              }),
          }
        : {},
    ),
  },

  'a rebuild forgets its pause': {
    ports: inMemory((memory, process, stored) => {
      if (!isBatch(process)) return {}
      const pauses = forgotten.get(stored) ?? new Map<string, unknown>()
      forgotten.set(stored, pauses)
      const isControl = ({ kind }: { kind: string }) => kind === 'control'
      return {
        async get(key) {
          const record = await memory.get(key)
          const pause = isControl(key) ? pauses.get(`${key.project} ${key.name}`) : undefined
          if (pause === undefined) return record
          return { version: 0, ...key, ...record, value: { ...(record?.value as object), rebuild: pause } }
        },
        async commit(change) {
          const own = change.writes.find(isControl)
          if (own === undefined) return memory.commit(change)
          const { rebuild } = own.value as Control
          if (rebuild === undefined) pauses.delete(`${own.project} ${own.name}`)
          else pauses.set(`${own.project} ${own.name}`, rebuild)
          return memory.commit({
            ...change,
            writes: change.writes.filter((write) => write !== own),
            outbox: [],
          })
        },
      }
    }),
  },
}

const forgotten = new WeakMap<Stores, Map<string, unknown>>()
