import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { type LetterDeps, settleLetter } from '../../core/consume/dead-letter.ts'
import { tell } from './telemetry.ts'

export type DeadLetterPorts = LetterDeps & { stage: string }

/** A dead letter queue, batch by batch: a letter that could be put nowhere stays on it. */
export const deadLetterQueue =
  (ports: DeadLetterPorts) =>
  async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
    const began = Date.now()
    const settled = await Promise.all(
      Records.map(({ body, attributes: { SentTimestamp }, messageAttributes: { queue, RULE_ARN } }) => {
        const sent = new Date(Number(SentTimestamp)).toISOString()
        return settleLetter({ queue: queue?.stringValue, rule: RULE_ARN?.stringValue, sent, body }, ports)
      }),
    )
    const left = Records.filter((_, index) => settled[index]?.outcome === 'unavailable')
    const from = { function: context.functionName, level: 'WARN' } as const
    const about = { awsRequestId: context.awsRequestId, stage: ports.stage, now: began }
    tell(
      {
        ...from,
        metrics: { Letters: Records.length, Left: left.length, DurationMs: Date.now() - began },
        detail: { settled },
      },
      about,
    )
    // counted as what consume marks dead is: the alarm does not ask who wrote the mark
    const dead = settled.flatMap((one) => (one.outcome === 'marked' ? [one.subscriber] : []))
    for (const [subscriber, marks] of Map.groupBy(dead, (name) => name))
      tell({ ...from, dimensions: { subscriber }, metrics: { Dead: marks.length } }, about)
    return { batchItemFailures: left.map(({ messageId }) => ({ itemIdentifier: messageId })) }
  }
