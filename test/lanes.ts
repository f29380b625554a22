import { consume } from '../core/consume/consume.ts'
import type { Consumed } from '../core/consume/task.ts'
import { Failure } from '../core/errors.ts'
import type { HandlerAny } from '../core/event/handler.ts'
import type { Controls } from '../core/hold/control.ts'
import { releaseLane } from '../core/lane/lane.ts'
import type { DeliveryKey } from '../core/ports.ts'
import { repositoryUpdated } from '../events/repository.updated.ts'
import type { Route } from '../events/route.ts'
import { queued, told } from './arrivals.ts'
import { testRoutes, world } from './world.ts'

/** What the tests of ordered routes share: a route of our own, and a queue that keeps order and counts receives. */

export const line: Route = {
  subscriber: 'line',
  kind: 'function',
  types: [repositoryUpdated],
  effect: 'outside',
  ordered: true,
  batch: 10,
  concurrency: 2,
  attempts: 3,
  timeout: 30,
  emits: [],
}

export type LaneWorld = ReturnType<typeof laneWorld>

export function laneWorld(given: Partial<Route> = {}) {
  const route = { ...line, ...given }
  const w = world({ routes: [...testRoutes, route] })
  const lying: { body: string; receiveCount: number }[] = []
  let controls: Controls | undefined
  const keys = new Map<string, DeliveryKey>()
  const partition = (repository: string) => `repository/octo/${repository}`

  /** What lies on the queue now, the oldest first. */
  function waiting() {
    lying.push(...w.stores.queues.take('line').map((body) => ({ body, receiveCount: 0 })))
    return lying
  }

  return {
    ...w,
    route,
    waiting,
    control: (given: Controls) => {
      controls = given
    },
    lane: (repository = 'a', replay = '') => ({
      project: 'main',
      subscriber: 'line',
      partitionkey: partition(repository),
      replay,
    }),
    /** The delivery of a version of a repository. */
    key: (name: string): DeliveryKey =>
      keys.get(name) ?? { project: '', source: '', id: name, subscriber: '', replay: '' },
    /** Records that these versions of repositories were declared: `a1` is version 1 of a. */
    async declared(...names: string[]): Promise<void> {
      for (const name of names) {
        const [repository = '', sequence] = [name.slice(0, 1), Number(name.slice(1))]
        const data = { ...repositoryUpdated.example, repository: `octo/${repository}`, version: sequence }
        const frame = told(
          { type: 'repository.updated', data },
          { partitionkey: partition(repository), sequence },
        )
        const outcome = await w.one(queued(frame))
        if (!('event' in outcome)) throw new Error(outcome.status)
        const { project, source, id } = outcome.event
        keys.set(name, { project, source, id, subscriber: 'line', replay: '' })
      }
    },
    /** Receives what is first on the queue and hands it over; what is to be seen again stays where it was. */
    async receive(handler: HandlerAny, count = 10): Promise<Consumed[]> {
      const batch = waiting().splice(0, count)
      for (const message of batch) message.receiveCount++
      const consumed = await consume(route, handler, batch, { ...w.deps, controls })
      lying.unshift(...batch.filter((_, index) => consumed[index]?.again !== undefined))
      return consumed
    },
    /** The same by a process that is gone afterwards, whatever it did: nothing is taken off the queue. */
    async receiveAndCrash(handler: HandlerAny, count = 10): Promise<void> {
      const batch = waiting().slice(0, count)
      for (const message of batch) message.receiveCount++
      await consume(route, handler, batch, { ...w.deps, controls })
    },
    mark: async (name: string) =>
      (await w.stores.history.getDeliveries([keys.get(name) ?? expected(name)]))[0],
  }
}

function expected(name: string): never {
  throw new Error(`${name} was not declared`)
}

/** `a1` for version 1 of octo/a. */
export const nameOf = ({ data }: { data: unknown }): string => {
  const { repository, version } = repositoryUpdated.schema.parse(data)
  return `${repository.slice(-1)}${version}`
}

/** Handles, writes down in which order, and fails on those that are named, as long as they are. */
export function handling(...failing: string[]) {
  const ran: string[] = []
  const fails = new Map<string, Error>(failing.map((name) => [name, new Error('not now')]))
  const handler: HandlerAny = async (handled) => {
    const name = nameOf(handled)
    ran.push(name)
    const error = fails.get(name)
    if (error !== undefined) throw error
    return []
  }
  return { handler, ran, fails }
}

export const hopeless = new Failure('NotFound', 'no such thing')
export const outcomes = (consumed: readonly { outcome: string }[]) => consumed.map(({ outcome }) => outcome)
export const states = async (w: LaneWorld, ...names: string[]) =>
  Promise.all(names.map(async (name) => (await w.mark(name))?.state))
export const redrive = (w: LaneWorld, ...dead: string[]) =>
  releaseLane(w.lane(), { dead: dead.map((name) => w.key(name)) }, w.deps)

/** A world whose lane is closed by a1, which is dead; a2 and a3 wait behind it. */
export async function closed() {
  const w = laneWorld()
  await w.declared('a1', 'a2', 'a3')
  const h = handling()
  h.fails.set('a1', hopeless)
  await w.receive(h.handler)
  h.fails.clear()
  h.ran.length = 0
  w.calls.length = 0
  return { w, ...h }
}
