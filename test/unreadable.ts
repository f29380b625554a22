import { Failure } from '../core/errors.ts'
import type { History } from '../core/ports.ts'

/** Reading events when that of this id was written by newer code: it cannot be parsed, and the call fails. */
export const unreadable =
  (id: string) =>
  (real: History['getEvents']): History['getEvents'] =>
  async (identities) => {
    if (identities.some((one) => one.id === id)) throw new Failure('NewerVersion', `${id} cannot be read`)
    return real(identities)
  }
