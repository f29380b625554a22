import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { killFunctions } from './operator.ts'
import { deliveryTo, deployedStage, eventually, pushPayload } from './stage.ts'

const stage = deployedStage()

const source = 'https://github.com/Codertocat/Hello-World'

it('the same delivery ten times at once is one event and one run', async () => {
  const push = pushPayload()
  const delivery = randomUUID()
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => stage.webhook('push', push, { delivery })),
  )
  const outcomes = answers.map(({ body }) => body.outcome)
  expect(outcomes.filter((outcome) => outcome === 'recorded')).toHaveLength(1)
  expect(outcomes.filter((outcome) => outcome === 'known')).toHaveLength(9)
  const fate = await stage.settled({ project: 'main', source, id: delivery })
  expect(fate.deliveries.map(({ subscriber }) => subscriber).sort()).toEqual([
    'analyze-push',
    'test-and-validate',
  ])
  const { body } = await stage.call('GET', '/v1/runs?limit=100')
  const runs = body.items.filter(({ event }: { event?: { id: string } }) => event?.id === delivery)
  expect(runs).toHaveLength(1)
})

it('killing the functions in mid-flow loses nothing and runs nothing twice', async () => {
  const deliveries = await Promise.all(
    Array.from({ length: 20 }, async () => (await stage.webhook('push', pushPayload())).delivery),
  )
  let killed = 0
  for (let round = 0; round < 3; round++) {
    killed += killFunctions(stage.endpoint)
    await sleep(200)
  }
  expect(killed).toBeGreaterThan(0)
  for (const id of deliveries) {
    const fate = await eventually(async () => {
      const found = await stage.history.fate({ project: 'main', source, id })
      const states = found.stored?.expects.map((name) => deliveryTo(found, name)?.state)
      expect(states).toEqual(['done', 'done'])
      return found
    }, 240)
    expect(deliveryTo(fate, 'analyze-push')?.emitted).toHaveLength(1)
  }
}, 300_000)
