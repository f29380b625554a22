import type { Ephemeral } from '../../core/ports.ts'
import type { Observed } from './observed.ts'

/** Whether a body came before: nobody can say when this does not answer. */
export const watchedEphemeral = (ephemeral: Ephemeral, { guessed }: Observed): Ephemeral => ({
  tally: (...args) => ephemeral.tally(...args),
  putIfAbsent: async (...args) => {
    try {
      return await ephemeral.putIfAbsent(...args)
    } catch (error) {
      guessed.add('copies of webhooks')
      throw error
    }
  },
})
