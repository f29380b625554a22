import { AwsError } from '../../adapters/aws/clients.ts'
import { Failure } from '../../core/errors.ts'
import type { Delivery, InsertVerdict, Transition } from '../../core/ports.ts'

/** What the tables answer whose item a transaction of somebody else has in hand: nothing was written. */

type Met = { value: unknown } | { error: unknown }

/** Of one item. */
const ongoing = () =>
  new AwsError('TransactionConflictException', 'Transaction is ongoing for the item', 400, undefined)
/** Of a transaction, which was tried five times. */
const busy = () => new Failure('Busy', 'others changed it at every try')

/** What is held is written with its event, in a transaction. */
const marking = ({ state }: Pick<Delivery, 'state'>): Met => ({
  error: state === 'dead' || state === 'parked' ? busy() : ongoing(),
})

const single = (): Met => ({ error: ongoing() })
/** Of several in one call each may fail by itself: that is a fault of its own. */
const alone = ([items]: readonly unknown[]): Met | undefined =>
  Array.isArray(items) && items.length === 1
    ? { value: [{ verdict: 'failed', error: ongoing() }] satisfies InsertVerdict[] }
    : undefined

/** By the name of a method: each that writes on a condition, or what a transaction may have in hand. */
const answers: Readonly<Record<string, (args: readonly unknown[]) => Met | undefined>> = {
  commit: () => ({ value: 'version conflict' }),
  mark: ([, delivery]) => marking(delivery as Delivery),
  transition: ([change]) => marking((change as Transition).next),
  insertEvents: alone,
  insertDeliveries: alone,
  note: single,
  quarantine: single,
  settleQuarantined: single,
  'lanes.wait': () => ({ error: busy() }),
  'lanes.release': single,
  'lanes.open': single,
  'lanes.leave': single,
  removeFromOutbox: single,
}

export const meetsTransaction = (method: string, args: readonly unknown[]): Met | undefined =>
  answers[method]?.(args)

/** By the names of the methods that they keep from writing. Differences that were noted are rarer than this. */
export const metByTransactions = Object.keys(answers).filter((method) => method !== 'note')
