import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { type AccountProjects, readMessage } from '../../core/event/arrival.ts'
import { isThrough, type RecordDeps, record, secondsUntilAgain } from '../../core/gate/record.ts'
import type { Hide } from './hide.ts'
import { tellOutcomes } from './outcomes.ts'

export type RecordPorts = RecordDeps & { accounts: AccountProjects; hide: Hide; stage: string }

/** The record queue, batch by batch: what did not get through the gate stays on it. */
export const recordQueue =
  (ports: RecordPorts) =>
  async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const began = Date.now()
    const { accounts, hide, stage } = ports
    const arrivals = Records.map(({ body, attributes }) =>
      readMessage(body, new Date(Number(attributes.SentTimestamp)).toISOString(), accounts),
    )
    const outcomes = await record(arrivals, ports)
    tellOutcomes(outcomes, context, { stage, began })
    await Promise.all(
      Records.map((message, index) => {
        const seconds = secondsUntilAgain(outcomes[index])
        return seconds === undefined ? undefined : hide('record', message, seconds)
      }),
    )
    return {
      batchItemFailures: Records.filter((_, index) => !isThrough(outcomes[index])).map(({ messageId }) => ({
        itemIdentifier: messageId,
      })),
    }
  }
