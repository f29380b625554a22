import type { OrderedMessage } from '../core/ports.ts'

/** What SQS takes for a group and for a deduplication id. */
const name = /^[A-Za-z0-9!-/:-@[-`{-~]{1,128}$/

/**
 * The messages of an ordered queue, or the texts of any other; refused alike by both stores before anything is sent.
 * Throws an Error where the queue is of the other kind, or a group or deduplication id is none that SQS takes.
 */
export function messagesFor(
  queue: string,
  ordered: boolean,
  messages: readonly (string | OrderedMessage)[],
): { ordered: OrderedMessage[] } | { texts: string[] } {
  const texts = messages.filter((message) => typeof message === 'string')
  const grouped = messages.filter((message) => typeof message !== 'string')
  if (ordered && texts.length > 0)
    throw new Error(`queue ${queue} is ordered: a message for it needs a group and a deduplication id`)
  if (!ordered && grouped.length > 0)
    throw new Error(`queue ${queue} is not ordered: a message for it has no group and no deduplication id`)
  for (const { group, dedupe } of grouped)
    for (const [what, value] of Object.entries({ group, 'deduplication id': dedupe }))
      if (!name.test(value))
        throw new Error(
          `"${value}" as a ${what} on queue ${queue}: expected 1 to 128 letters, digits and punctuation`,
        )
  return ordered ? { ordered: grouped } : { texts }
}

/** Why a message was not tried: one before it in its group was not sent. */
export const behindAFailed = (group: string): Error =>
  new Error(`not sent: an earlier message of group ${group} could not be sent`)
