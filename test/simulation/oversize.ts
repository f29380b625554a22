import { createHash } from 'node:crypto'
import { editDelivery } from '../../core/mend/edit.ts'
import { deliveriesOf } from '../../core/mend/open-delivery.ts'
import { limits } from '../../events/envelope.ts'
import type { Chance } from './chance.ts'
import type { Observed } from './observed.ts'
import type { Command } from './operators.ts'

/** What is too large for where it is to go: at a door, as a state, as what is told of it, and as what somebody edits. */

/**
 * What an event of the shop says that its handling is to come to. `sum`: several that each fit, and together into no
 * request. `told`: what is told of it makes the state of who hears it too large.
 */
export const fats = ['state', 'emission', 'sum', 'told'] as const
export type Fat = (typeof fats)[number]

const fatOf = (data: unknown): Fat | undefined => (data as { fat?: Fat }).fat

let text = ''
/** Text that does not become small by being packed. */
function incompressible(bytes: number): string {
  for (let count = text.length; text.length < bytes; count++)
    text += createHash('sha256').update(String(count)).digest('base64')
  return text.slice(0, bytes)
}

/** Larger than a record may be, or an item of the outbox. */
const tooLargeForItem = 600_000
/** Larger than a message may be. */
const tooLargeForMessage = 1_100_000
/** Of which a few are larger together than a request may be. */
const large = 100_000
/** Larger than an event may be when it comes in. */
export const tooLargeForEvent = limits.event + 1

/** Told of a change that is to make the state of its hearers too large. */
const told = 'fat'

/** What a subscriber writes, with all that its event wants in it. */
export const written = (data: unknown, value: object): object =>
  fatOf(data) === 'state' || (data as { failing?: string[] }).failing?.includes(told)
    ? { ...value, pad: incompressible(tooLargeForItem) }
    : value

/** What is told in a change of state. */
export function failingOf(data: unknown): string[] {
  if (fatOf(data) === 'told') return [told]
  return fatOf(data) === 'emission' ? [incompressible(tooLargeForItem)] : []
}

/** What is sent once it was acted on: one list of reasons each. */
export function reasonsOf(data: unknown): string[][] {
  if (fatOf(data) === 'emission') return [['x'.repeat(tooLargeForMessage)]]
  return fatOf(data) === 'sum' ? Array.from({ length: 4 }, (_, n) => [`${n}`.repeat(large)]) : []
}

/** Whether what its handling comes to can be kept or sent; a replay sends nothing, and so has nothing that is too large. */
export function comesToTooMuch(subscriber: string, data: unknown): boolean {
  if (subscriber === 'shop') return fatOf(data) === 'emission'
  if (subscriber === 'ledger') return fatOf(data) === 'state' || fatOf(data) === 'emission'
  return subscriber === 'fold' && 'pad' in written(data, {})
}

/** Somebody edits a dead letter to more than goes through the outbox: it is refused, and stays dead. */
export function editTooLarge(chance: Chance, observed: Observed): Command | undefined {
  const dead = chance.shuffled([...observed.deliveries.values()].filter(({ state }) => state === 'dead'))[0]
  return (
    dead && {
      name: `edit ${dead.id} of ${dead.subscriber} to too much`,
      run: async (ports) => {
        const [found] = await deliveriesOf(dead, dead, ports.history)
        const data = found?.stored?.event.data
        if (found === undefined || data === null || typeof data !== 'object') return
        const edited = { ...data, pad: incompressible(tooLargeForItem) }
        try {
          await editDelivery(found, edited, 'user:op', ports)
        } catch (error) {
          if (error instanceof Error && error.name === 'TooLarge') observed.sometimes('an edit is too large')
          throw error
        }
        observed.violated({
          invariant: 'what is too large is refused',
          message: `${dead.id} of ${dead.subscriber} was edited to ${tooLargeForItem} bytes`,
          id: dead.id,
        })
      },
    }
  )
}
