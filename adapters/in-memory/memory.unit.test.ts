import { commitTransitionsContract } from '../contract/commit-transitions.ts'
import { memoryContract } from '../contract/memory.ts'
import { memoryListsContract } from '../contract/memory-lists.ts'
import { minute } from '../contract/samples.ts'
import { inMemoryHistory } from './history.ts'
import { inMemoryMemory } from './memory.ts'

const make = () => {
  let now = minute(0)
  const history = inMemoryHistory()
  return {
    history,
    memory: inMemoryMemory({ history, clock: () => now }),
    setTime: (time: string) => {
      now = time
    },
  }
}

memoryContract(make)
memoryListsContract(make)
commitTransitionsContract(make)
