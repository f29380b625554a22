import { describe } from 'vitest'
import { historyContract } from '../contract/history.ts'
import { historyListsContract } from '../contract/history-lists.ts'
import { historyOrderContract } from '../contract/history-order.ts'
import { lanesContract } from '../contract/lanes.ts'
import { mendingContract } from '../contract/mending.ts'
import { inMemoryBodies } from './bodies.ts'
import { inMemoryHistory } from './history.ts'
import { inMemoryLanes } from './lanes.ts'

const make = () => {
  const bodies = inMemoryBodies()
  return {
    history: inMemoryHistory({ bodies }),
    bodies,
    expireBody: async (key: string) => bodies.remove(key),
  }
}

historyContract(make)
historyListsContract(make)
mendingContract(make)
describe('lanes', () =>
  lanesContract(() => {
    const fixture = make()
    return { ...fixture, lanes: inMemoryLanes({ history: fixture.history }) }
  }))
historyOrderContract(make)
