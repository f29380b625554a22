import { Failure } from '../core/errors.ts'
import type { HandlerAny } from '../core/event/handler.ts'
import { relay } from '../core/gate/relay.ts'
import { changeJob, type Job, loadJob } from '../core/job/job.ts'
import type { BatchAnswer, BatchInput } from '../core/job/job-batch.ts'
import { type DeliveryWithEvent, deliveriesOf } from '../core/mend/open-delivery.ts'
import { redriveBatch, redriveJob } from '../core/mend/redrive.ts'
import type { Selection } from '../core/mend/selection.ts'
import type { DeliveryKey } from '../core/ports.ts'
import type { Route } from '../events/route.ts'
import { byHttp, push } from './arrivals.ts'
import { seconds, type World, world } from './world.ts'

/** What the tests of dead letters share: deliveries that died, and jobs that mend them. */

export const failing =
  (reason: string): HandlerAny =>
  async () => {
    throw new Failure('Invalid', reason)
  }

export type MendWorld = ReturnType<typeof mendWorld>

export const mendWorld = (given: { routes?: readonly Route[] } = {}) => mending(world(given))

export function mending(w: World) {
  const deps = { ...w.deps, pause: async (milliseconds: number) => w.advance(milliseconds) }
  let asked = 0

  const keyOf = (id: string, subscriber = 'analyze'): DeliveryKey => ({
    ...{ project: 'main', source: 'https://github.com/octo/hello', id, subscriber, replay: '' },
  })

  const relayAll = () => relay(w.stores.memory.all().outbox, w.deps)

  return {
    ...w,
    deps,
    keyOf,
    relayAll,
    /** Pushes with these ids that `analyze` could not handle; a second lies between them. */
    async died(
      ids: readonly string[],
      reason: (id: string) => string = () => 'no such branch',
    ): Promise<void> {
      for (const id of ids) {
        await w.one(byHttp(push(id), { received: w.clock() }))
        await w.handle('analyze', failing(reason(id)))
        w.stores.queues.take('validate')
        w.advance(seconds)
      }
    },
    mark: async (id: string, subscriber?: string) =>
      (await w.stores.history.getDeliveries([keyOf(id, subscriber)]))[0],
    find: async (id: string, subscriber = 'analyze'): Promise<DeliveryWithEvent> => {
      const [found] = await deliveriesOf(keyOf(id), { subscriber }, w.stores.history)
      if (found === undefined) throw new Error(`${subscriber} has no delivery of ${id}`)
      return found
    },
    /** Asks for a redrive, and answers what a run of it hands to each of its batches. */
    async ask(
      selection: Selection = {},
      given: Partial<Parameters<typeof redriveJob>[1]> = {},
    ): Promise<{ id: string; input: BatchInput }> {
      const id = `job${++asked}`
      const about = { id, subscriber: 'analyze', by: 'user:ann', asked: w.clock(), rate: 10 }
      const made = redriveJob('main', { ...about, subscribers: ['analyze'], selection, ...given })
      await w.stores.memory.commit({ writes: [made.write], outbox: made.outbox })
      await relayAll()
      const { source, id: event, type } = made.job.request
      const about_ = { project: 'main', correlationid: event, hops: 0, partitionkey: `job/${id}` }
      return { id, input: { event: { ...about_, source, id: event, type }, attempt: 1 } }
    },
    batch: (input: BatchInput, given: Partial<typeof deps> = {}): Promise<BatchAnswer> =>
      redriveBatch(input, { ...deps, ...given }, 5),
    /** Batch after batch until the run ends; `between`: what happens meanwhile. */
    async run(input: BatchInput, between: () => Promise<unknown> = async () => undefined): Promise<number> {
      for (let batches = 1; batches < 1000; batches++) {
        const { state, wait } = await redriveBatch(input, deps, 5)
        if (state === 'ended') return batches
        w.advance(wait * seconds)
        await between()
      }
      throw new Error('the run does not end')
    },
    job: (id: string): Promise<Job> => loadJob('main', id, w.stores.memory),
    changeJob: (id: string, evolve: (job: Job) => Job | undefined) =>
      changeJob('main', id, w.stores.memory, evolve),
    /** What lies on a queue, by event: taken off, and handled by somebody else. */
    taken: (subscriber: string): string[] =>
      w.stores.queues.take(subscriber).map((body) => JSON.parse(body).event.id),
    /** Events of ours of a type, by their data, after what waited to be sent was. */
    async told(type: string): Promise<{ data: unknown; actor: string }[]> {
      await relayAll()
      return w
        .events()
        .filter(({ event }) => event.type === type)
        .map(({ event: { data, actor } }) => ({ data, actor }))
    },
  }
}
