import { expect, it } from 'vitest'
import type { HandledAny } from '../../core/event/handler.ts'
import { routes } from '../../events/routes.ts'
import { byHttp, push } from '../arrivals.ts'
import { world } from '../world.ts'
import type { Process } from './calls.ts'
import { handlerOf } from './handlers.ts'
import { observations } from './observed.ts'

it('what lies in one batch with what kills its process is not handled by it', async () => {
  const w = world()
  for (const id of ['a', 'b']) await w.one(byHttp(push(id)))
  const [route] = routes
  if (route === undefined) return expect.fail('a route')
  const observed = observations(() => 0, false)
  const process: Process = {
    id: 0,
    kind: 'x',
    alive: true,
    skew: 0,
    generation: 'older',
    died: () => undefined,
  }
  const handler = handlerOf(route, {
    process,
    calls: { call: async () => undefined, kill: (one) => Object.assign(one, { alive: false }) },
    ports: {} as never,
    observed,
    now: () => 0,
    inHand: () => new Map(),
    behaviourOf: () => 'crashes',
  })
  for (const { event } of w.events())
    void handler({ event, replay: '', idempotencyKey: event.id } as HandledAny, undefined)
  await Promise.resolve()
  expect([...observed.runs.keys()]).toEqual([expect.stringContaining(' a -> ')])
})
