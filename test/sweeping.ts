import { expect } from 'vitest'
import { Failure } from '../core/errors.ts'
import type { HandlerAny } from '../core/event/handler.ts'
import { depthsOnce } from '../core/gate/missing.ts'
import { relay } from '../core/gate/relay.ts'
import { sweep } from '../core/sweep/sweep.ts'
import { sweepTimeline } from '../core/sweep/sweep-timeline.ts'
import { byHttp, push } from './arrivals.ts'
import type { World } from './world.ts'

/** What the tests of the sweep share: handlers, one pass, and events that reach nobody. */

export const nothing: HandlerAny = async () => []
export const dies: HandlerAny = async () => {
  throw new Failure('Invalid', 'no good')
}

/** What lies on a queue, by event: taken off. */
export const taken = (w: World, subscriber: string): string[] =>
  w.stores.queues.take(subscriber).map((body) => JSON.parse(body).event.id)

/** Sent to nobody, as by a crash after the event was written. */
export async function unsent(w: World, ...ids: string[]): Promise<void> {
  w.failing('queues', 'send')
  for (const id of ids) await w.one(byHttp(push(id), { received: w.clock() }))
  w.mend()
}

/** As a pass is given what it works on: the depth of each queue is asked once. */
export const ofOnePass = <Deps extends World['deps']>(deps: Deps): Deps => ({
  ...deps,
  queues: { ...deps.queues, depth: depthsOnce(deps.queues) },
})

export const swept = (w: World) => sweepTimeline('main', ofOnePass(w.deps), 40)

/** A whole pass in which no part fails. */
export async function wholePass(w: World) {
  const { swept: found, failures } = await sweep('main', w.deps, 40)
  expect(failures).toEqual([])
  return found
}

export const relayAll = (w: World) => relay(w.stores.memory.all().outbox, w.deps)
