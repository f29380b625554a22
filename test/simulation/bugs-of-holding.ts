import { Failure } from '../../core/errors.ts'
import { controlOf } from '../../core/hold/control.ts'
import type { Commit, MemoryRecord } from '../../core/ports.ts'
import { type Bug, consumes, inHistory, inMemory, methodsOf } from './planting.ts'
import type { Stores } from './stores.ts'

/** The same of what holds subscribers back: pauses and circuits. */

const isControl = ({ kind }: { kind: string }): boolean => kind === 'control'

const circuitsOf = (change: Pick<Commit, 'writes'>): number =>
  change.writes.reduce((sum, { value, kind }) => sum + (kind === 'control' ? circuitsIn(value) : 0), 0)
const circuitsIn = (value: unknown): number => (value as { circuits?: unknown[] }).circuits?.length ?? 0

const openNow = ({ real }: Stores, { writes }: Commit): number =>
  circuitsOf({
    writes: real.memory
      .all()
      .records.filter(({ project, kind, name }) =>
        writes.some((write) => write.project === project && write.kind === kind && write.name === name),
      ),
  })

export const holdingBugs: Readonly<Record<string, Bug>> = {
  'failures are not counted together': {
    ports: (ports) => ({ ...ports, ephemeral: { ...methodsOf(ports.ephemeral), tally: async () => ({}) } }),
  },

  'what answers again stays parted': {
    ports: inMemory((memory, { kind }, stored) => ({
      commit: async (change) =>
        kind !== 'api' && change.writes.some(isControl) && circuitsOf(change) < openNow(stored, change)
          ? 'committed'
          : memory.commit(change),
    })),
  },

  'everybody tries what is down': {
    ports: inMemory((memory, process) => ({
      get: async (key) => {
        const record = await memory.get(key)
        if (record === undefined || !isControl(key) || !consumes(process)) return record
        const { circuits, ...state } = controlOf(record)
        const tried = circuits.map(({ lastProbe: _, ...one }) => one)
        return { ...record, value: { ...state, circuits: tried } }
      },
    })),
  },

  'who takes a pause back takes all of them': {
    ports: inMemory((memory, { kind }) => ({
      commit: (change) =>
        memory.commit(
          kind === 'api'
            ? {
                ...change,
                writes: change.writes.map((write) =>
                  isControl(write) && controlOf(write).paused === undefined
                    ? { ...write, value: { ...controlOf(write), rebuild: undefined } }
                    : write,
                ),
              }
            : change,
        ),
    })),
  },

  'a pause is read once and never again': {
    ports: inMemory((memory, process) => {
      const read = new Map<string, MemoryRecord | undefined>()
      return {
        async get(key) {
          if (!isControl(key) || !consumes(process)) return memory.get(key)
          if (!read.has(key.project)) read.set(key.project, await memory.get(key))
          return read.get(key.project)
        },
      }
    }),
  },

  'while one tries what is down all do': {
    ports: inMemory((memory, process) => ({
      get: async (key) => {
        const record = await memory.get(key)
        if (record === undefined || !isControl(key) || !consumes(process)) return record
        const { circuits, ...state } = controlOf(record)
        return { ...record, value: { ...state, circuits: circuits.filter((one) => one.state === 'open') } }
      },
    })),
  },

  'what fails in different ways is counted together': {
    ports: (ports) => ({
      ...ports,
      ephemeral: {
        ...methodsOf(ports.ephemeral),
        tally: (name, amounts, seconds) =>
          ports.ephemeral.tally(
            name,
            Object.fromEntries(
              Object.entries(amounts).map(([counter, count]) => [counter.replace(/^f\d+_/, 'f0_'), count]),
            ),
            seconds,
          ),
      },
    }),
  },

  'a lost race is given up at once': {
    ports: inMemory((memory) => ({
      async commit(change) {
        const verdict = await memory.commit(change)
        if (verdict === 'version conflict') throw new Failure('Busy', 'others changed it 1 times meanwhile')
        return verdict
      },
    })),
  },

  'what was let go of is never sent anew': {
    ports: (ports, process, world) =>
      process.kind === 'sweep'
        ? inHistory((history) => ({
            transition: async (change) => {
              const [mark] = await history.getDeliveries([change.key])
              return mark?.letGo ? false : history.transition(change)
            },
          }))(ports, process, world)
        : ports,
  },
}
