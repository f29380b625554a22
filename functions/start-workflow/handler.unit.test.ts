import { beforeAll, expect, it, vi } from 'vitest'
import { byHttp, push } from '../../test/arrivals.ts'
import { context, here, lines, received, setEnvironment } from '../../test/lambdas.ts'

vi.mock('../../adapters/lambda/ports.ts', async () => (await import('../../test/lambdas.ts')).ports)

let handler: typeof import('./handler.ts').handler
beforeAll(async () => {
  setEnvironment()
  handler = (await import('./handler.ts')).handler
})

it('starts a run of the workflow that its queue is named after', async () => {
  await here.one(byHttp(push()))
  const event = received('test-and-validate', here.stores.queues.take('test-and-validate'))
  const { answer, lines: told } = await lines(() => handler(event, context))
  expect(answer).toEqual({ batchItemFailures: [] })
  expect(told).toMatchObject([{ subscriber: 'test-and-validate', Handled: 1 }])
  const [run = ''] = here.deliveries().flatMap((delivery) => delivery.run ?? [])
  expect(await here.stores.workflows.describe('test-and-validate', run)).toMatchObject({ status: 'RUNNING' })
})

it.each([
  ['of a function', 'notify'],
  ['that nobody knows', 'nobody'],
])('refuses the queue %s: it would start something else, or nothing', async (_, queue) => {
  here.calls.length = 0
  await expect(handler(received(queue, ['{}']), context)).rejects.toThrow(`${queue} is no workflow's queue`)
  await expect(handler({ Records: [] }, context)).rejects.toThrow('no workflow')
  expect(here.calls).toEqual([])
})
