import { isBusy } from '../../core/errors.ts'
import type { Observed } from './observed.ts'
import type { Command } from './operators.ts'
import { methodsOf } from './planting.ts'
import type { Ports } from './ports.ts'

const mostLost = 5

/** Whoever is told that others were faster has lost so many races: one is decided again. */
export const countingRaces =
  ({ name, run }: Pick<Command, 'name' | 'run'>, { violated }: Pick<Observed, 'violated'>) =>
  async (ports: Ports): Promise<unknown> => {
    let lost = 0
    const commit: Ports['memory']['commit'] = async (change) => {
      const verdict = await ports.memory.commit(change)
      if (verdict === 'version conflict') lost++
      return verdict
    }
    try {
      return await run({ ...ports, memory: { ...methodsOf(ports.memory), commit } })
    } catch (error) {
      // races for lanes are others
      const isLost = isBusy(error) && /^others changed (?!the lane)/.test(String((error as Error).message))
      if (isLost && lost < mostLost)
        violated({
          invariant: 'who loses a race decides again',
          message: `${name} lost ${lost} races and was refused: ${error}`,
        })
      throw error
    }
  }
