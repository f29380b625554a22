import { historyContract } from '../contract/history.ts'
import { historyListsContract } from '../contract/history-lists.ts'
import { inMemoryBodies } from './bodies.ts'
import { inMemoryHistory } from './history.ts'

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
