import { inMemoryBodies } from '../adapters/in-memory/bodies.ts'
import { inMemoryEphemeral } from '../adapters/in-memory/ephemeral.ts'
import { inMemoryHistory } from '../adapters/in-memory/history.ts'
import { inMemoryLanes } from '../adapters/in-memory/lanes.ts'
import { inMemoryMemory } from '../adapters/in-memory/memory.ts'
import { inMemoryQueues } from '../adapters/in-memory/queues.ts'
import { inMemoryWorkflows } from '../adapters/in-memory/workflows.ts'
import { consume } from '../core/consume/consume.ts'
import type { Arrival } from '../core/event/arrival.ts'
import type { HandlerAny } from '../core/event/handler.ts'
import { type Outcome, record } from '../core/gate/record.ts'
import type { Random } from '../core/ports.ts'
import { buildStatusChanged } from '../events/build.status-changed.ts'
import { eventDeadLettered } from '../events/event.dead-lettered.ts'
import { githubPush } from '../events/github.push.ts'
import { repositoryAnalyzed } from '../events/repository.analyzed.ts'
import { orderedIn, type Route } from '../events/route.ts'
import { testCompleted } from '../events/test.completed.ts'
import { workflowFailed } from '../events/workflow.failed.ts'
import { workflowStarted } from '../events/workflow.started.ts'
import { workflowSucceeded } from '../events/workflow.succeeded.ts'

/**
 * The world of the core for its tests: every port in memory, a clock that stands until it is moved, chance from a seed,
 * and each call of a port written down, so that a test can say which one fails, and how.
 */

const settings = { batch: 10, concurrency: 2, attempts: 3, timeout: 30 } as const

/** A table of routes of our own, so that the product's may change without these tests. */
export const testRoutes: readonly Route[] = [
  {
    subscriber: 'analyze',
    kind: 'function',
    types: [githubPush],
    effect: 'outside',
    emits: [repositoryAnalyzed],
    ...settings,
  },
  {
    subscriber: 'validate',
    kind: 'workflow',
    types: [githubPush],
    effect: 'outside',
    emits: [],
    ...settings,
  },
  {
    subscriber: 'count',
    kind: 'function',
    types: [testCompleted],
    effect: 'state',
    emits: [buildStatusChanged],
    ...settings,
  },
  {
    subscriber: 'tell',
    kind: 'function',
    types: [repositoryAnalyzed, buildStatusChanged, eventDeadLettered],
    effect: 'outside',
    emits: [],
    ...settings,
  },
  {
    subscriber: 'shop',
    kind: 'function',
    types: ['acme.ordered'],
    effect: 'outside',
    emits: [],
    ...settings,
  },
  {
    subscriber: 'follow',
    kind: 'function',
    types: [workflowStarted, workflowSucceeded, workflowFailed],
    effect: 'state',
    emits: [],
    ...settings,
  },
]

export function routeOf(subscriber: string): Route {
  const route = testRoutes.find((one) => one.subscriber === subscriber)
  if (route === undefined) throw new Error(`no test route ${subscriber}`)
  return route
}

/** mulberry32: numbers in [0, 1), the same for the same seed. */
export function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const noon = '2026-01-01T12:00:00.000Z'
export const seconds = 1000
export const minutes = 60_000
export const hours = 60 * minutes

type AnyFunction = (...args: unknown[]) => Promise<unknown>

export type World = ReturnType<typeof world>

export function world({ routes = testRoutes }: { routes?: readonly Route[] } = {}) {
  let at = Date.parse(noon)
  const clock = () => new Date(at).toISOString()
  const bodies = inMemoryBodies()
  const history = inMemoryHistory({ bodies })
  const stores = {
    history,
    memory: inMemoryMemory({ clock, history }),
    lanes: inMemoryLanes({ history }),
    queues: inMemoryQueues({ ordered: orderedIn(routes), clock }),
    bodies,
    ephemeral: inMemoryEphemeral({ clock }),
    workflows: inMemoryWorkflows({ clock }),
  }
  type Stores = typeof stores

  const calls: string[] = []
  const replaced = new Map<string, (real: AnyFunction) => AnyFunction>()
  let crash: { at: number; withEffect: boolean; seen: number } | undefined

  async function through(name: string, act: () => Promise<unknown>): Promise<unknown> {
    calls.push(name)
    if (crash === undefined) return act()
    crash.seen++
    if (crash.seen === crash.at && crash.withEffect) await act()
    if (crash.seen >= crash.at) throw new Error(`crashed at call ${crash.at}, ${name}`)
    return act()
  }

  const watched = <Port extends object>(port: string, real: Port): Port =>
    new Proxy(real, {
      get(target, method) {
        const found: unknown = Reflect.get(target, method)
        if (typeof found !== 'function') return found
        const call = `${port}.${String(method)}`
        const bound = found.bind(target) as AnyFunction
        return (...args: unknown[]) => {
          const act = replaced.get(call)?.(bound) ?? bound
          return through(port === 'queues' ? `${call} ${args[0]}` : call, () => act(...args))
        }
      },
    })

  const ports = {
    history: watched('history', stores.history),
    memory: watched('memory', stores.memory),
    lanes: watched('lanes', stores.lanes),
    queues: watched('queues', stores.queues),
    bodies: watched('bodies', stores.bodies),
    ephemeral: watched('ephemeral', stores.ephemeral),
    workflows: watched('workflows', stores.workflows),
  }
  const deps = { ...ports, clock, random: seeded(1), routes, accounts: {} }

  /** Puts something in the place of a port's method, until `mend`. */
  const instead = <P extends keyof Stores, M extends keyof Stores[P] & string>(
    port: P,
    method: M,
    replacement: (real: Stores[P][M]) => Stores[P][M],
  ): void => void replaced.set(`${port}.${method}`, replacement as never)

  return {
    /** what the core is given: every call through it is watched and may fail */
    deps,
    /** the stores behind, to be looked at and prepared without being seen */
    stores,
    /** each call of a port so far, by name; a queue's with the queue */
    calls,
    clock,
    advance: (milliseconds: number) => {
      at += milliseconds
    },
    instead,
    failing: <P extends keyof Stores>(port: P, method: keyof Stores[P] & string, error = new Error('down')) =>
      void replaced.set(`${port}.${method}`, () => () => Promise.reject(error)),
    /** From its n-th call on nothing answers any more; the n-th one may still have had its effect. */
    crashAt: (n: number, withEffect: boolean) => {
      crash = { at: n, withEffect, seen: 0 }
    },
    /** All ports work again. */
    mend: () => {
      crash = undefined
      replaced.clear()
    },

    record: (...arrivals: Arrival[]): Promise<Outcome[]> => record(arrivals, deps),
    one: async (arrival: Arrival): Promise<Outcome> => {
      const [outcome] = await record([arrival], deps)
      if (outcome === undefined) throw new Error('record answered nothing')
      return outcome
    },
    /** Takes what waits for a subscriber and hands it over, all at once, as received for the `receiveCount`-th time. */
    handle: (subscriber: string, handler: HandlerAny, receiveCount = 1) =>
      consume(
        routeOf(subscriber),
        handler,
        stores.queues.take(subscriber).map((body) => ({ body, receiveCount })),
        deps,
      ),
    events: () => stores.history.all().events,
    deliveries: () => stores.history.all().deliveries,
    quarantined: () => stores.history.all().quarantined,
  }
}
