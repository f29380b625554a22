import { beforeAll, expect, it, vi } from 'vitest'
import { historyOf, historyRecord } from '../../core/domain/repository-history.ts'
import { releaseLane } from '../../core/lane/lane.ts'
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

it('stops at a gap and keeps what comes later waiting; what was lost heals it when it comes after all', async () => {
  await declared('octo/gap', 1, 2, 3, 4)
  const [first = '', lost = '', ...later] = onQueue()
  const { lines: said } = await handled([first, ...later])
  expect(said).toMatchObject([{ Handled: 1, Dead: 1, Parked: 1 }])
  expect(await history('octo/gap')).toMatchObject({ version: 1 })

  // the sweep sends it on, and it takes its place before what is dead
  await handled([lost])
  const lane = {
    project: 'main',
    subscriber: 'track-repository',
    partitionkey: partitionkey('octo/gap'),
    replay: '',
  }
  const dead = here.deliveries().filter(({ state }) => state === 'dead')
  expect(await releaseLane(lane, { dead }, here.deps)).toEqual({ sent: 3 })
  await handled(onQueue())
  expect((await history('octo/gap'))?.steps.map(({ version }) => version)).toEqual([4, 3, 2, 1])
  expect(await here.stores.lanes.lane(lane)).toBeUndefined()
})
