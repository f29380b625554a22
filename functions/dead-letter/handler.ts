import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { accountProjects, environment } from '../../adapters/environment.ts'
import { recordPorts } from '../../adapters/lambda/ports.ts'
import { tell } from '../../adapters/lambda/telemetry.ts'
import { settleLetter } from '../../core/dead-letter.ts'

const { STAGE, ACCOUNT_PROJECTS } = environment(['STAGE', 'ACCOUNT_PROJECTS'])
const deps = { ...recordPorts(), accounts: accountProjects(ACCOUNT_PROJECTS) }

/** Both dead letter queues: each letter becomes a dead mark or a quarantine entry, where a person finds it. */
export const handler = async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const began = Date.now()
  const settled = await Promise.all(
    Records.map(({ body, messageAttributes: { queue, RULE_ARN } }) =>
      settleLetter({ queue: queue?.stringValue, rule: RULE_ARN?.stringValue, body }, deps),
    ),
  )
  const left = Records.filter((_, index) => settled[index]?.outcome === 'unavailable')
  const from = { function: context.functionName, level: 'WARN' } as const
  const about = { awsRequestId: context.awsRequestId, stage: STAGE, now: began }
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
