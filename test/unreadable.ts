import { Failure } from '../core/errors.ts'

/** Reading what is stored when that of this id was written by newer code: it cannot be parsed, and the call fails. */
export const unreadable =
  (id: string) =>
  <Key extends { id: string }, Found>(real: (keys: readonly Key[]) => Promise<Found>) =>
  async (keys: readonly Key[]): Promise<Found> => {
    if (keys.some((one) => one.id === id)) throw new Failure('NewerVersion', `${id} cannot be read`)
    return real(keys)
  }
