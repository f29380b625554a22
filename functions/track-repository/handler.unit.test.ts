import { beforeAll, expect, it, vi } from 'vitest'
import { historyOf, historyRecord } from '../../core/domain/repository-history.ts'
import { dropDelivery } from '../../core/mend/drop.ts'
import { deliveriesOf } from '../../core/mend/open-delivery.ts'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import { queued, told } from '../../test/arrivals.ts'
import { context, here, lines, received, setEnvironment } from '../../test/lambdas.ts'

vi.mock('../../adapters/lambda/ports.ts', async () => (await import('../../test/lambdas.ts')).ports)

let handler: typeof import('./handler.ts').handler
beforeAll(async () => {
  setEnvironment()
  handler = (await import('./handler.ts')).handler
})

const partitionkey = (repository: string) => `repository/${repository}`

/** Versions of a repository, each with a branch of its own to deploy, through the gate. */
async function declared(repository: string, ...versions: number[]): Promise<void> {
  for (const version of versions) {
    const data = { repository, deployBranch: `b${version}`, gates: [], version }
    const frame = { partitionkey: partitionkey(repository), sequence: version }
    await here.one(queued(told({ type: repositoryUpdated.type, data }, frame)))
  }
}
const onQueue = () => here.stores.queues.take('track-repository')
const handled = (bodies: readonly string[]) =>
  lines(() => handler(received('track-repository.fifo', bodies), context))
const history = async (repository: string) =>
  historyOf(await here.stores.memory.get(historyRecord('main', repository)))

it('builds the history of each repository from what was declared, in order', async () => {
  await declared('octo/one', 1, 2, 3)
  await declared('octo/two', 1)
  const { answer, lines: said } = await handled(onQueue())
  expect(answer).toEqual({ batchItemFailures: [] })
  expect(said).toMatchObject([{ subscriber: 'track-repository', Handled: 4 }])
  const steps = (await history('octo/one'))?.steps ?? []
  expect(steps.map(({ version, changes }) => [version, changes[0]])).toEqual([
    [3, { path: '/deployBranch', before: 'b2', after: 'b3' }],
    [2, { path: '/deployBranch', before: 'b1', after: 'b2' }],
    [1, { path: '/deployBranch', after: 'b1' }],
  ])
  expect((await history('octo/two'))?.version).toBe(1)
})

it('goes on where one is lost on its way, says so, and puts that at its place when it comes after all', async () => {
  await declared('octo/gap', 1, 2, 3, 4)
  const [first = '', lost = '', ...later] = onQueue()
  const { lines: said } = await handled([first, ...later])
  expect(said).toMatchObject([{ Handled: 3 }])
  const shown = async () =>
    ((await history('octo/gap'))?.steps ?? []).map(({ version, after, changes }) => [
      version,
      after,
      changes[0]?.before,
    ])
  expect(await shown()).toEqual([
    [4, undefined, 'b3'],
    [3, 1, 'b1'],
    [1, undefined, undefined],
  ])

  // the sweep sends it on
  await handled([lost])
  expect(await shown()).toEqual([
    [4, undefined, 'b3'],
    [3, undefined, 'b2'],
    [2, undefined, 'b1'],
    [1, undefined, undefined],
  ])
})

it('goes on behind one that was dropped', async () => {
  await declared('octo/dropped', 1, 2, 3, 4)
  const [first = '', , ...rest] = onQueue()
  await handled([first])
  const expected = here
    .events()
    .find(({ event }) => event.sequence === 2 && event.partitionkey === partitionkey('octo/dropped'))
  if (expected === undefined) return expect.fail('an event')
  const { project, source, id } = expected.event
  const of = { project, subscriber: 'track-repository', replay: '' }
  const lane = { ...of, partitionkey: partitionkey('octo/dropped') }
  const at = here.clock()
  const delivery = {
    state: 'dead',
    attempts: 5,
    started: at,
    changed: at,
    emitted: [],
    reason: 'no',
  } as const
  await here.stores.lanes.wait(lane, { key: { ...of, source, id }, sequence: 2, delivery }, 'closing')
  const { lines: said } = await handled(rest)
  expect(said).toMatchObject([{ Parked: 2 }])

  const [found] = await deliveriesOf({ project, source, id }, {}, here.stores.history)
  if (found === undefined) return expect.fail('a dead delivery')
  await dropDelivery(found, { by: 'user:ann' }, here.deps)
  await handled(onQueue())
  expect((await history('octo/dropped'))?.steps).toMatchObject([
    { version: 4 },
    { version: 3, after: 1 },
    { version: 1 },
  ])
  expect(await here.stores.lanes.lane(lane)).toBeUndefined()
})
