import { memoryContract } from '../contract/memory.ts'
import { minute } from '../contract/samples.ts'
import { inMemoryHistory } from './history.ts'
import { inMemoryMemory } from './memory.ts'

memoryContract(() => {
  let now = minute(0)
  const history = inMemoryHistory()
  return {
    history,
    memory: inMemoryMemory({ history, clock: () => now }),
    setTime: (time) => {
      now = time
    },
  }
})
