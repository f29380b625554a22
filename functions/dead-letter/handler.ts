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
    Records.map(({ body, messageAttributes }) =>
      settleLetter({ queue: messageAttributes.queue?.stringValue, body }, deps),
    ),
  )
  const left = Records.filter((_, index) => settled[index]?.outcome === 'unavailable')
  tell(
    {
      function: context.functionName,
      metrics: { Letters: Records.length, Left: left.length, DurationMs: Date.now() - began },
      level: 'WARN',
      detail: { settled },
    },
    { awsRequestId: context.awsRequestId, stage: STAGE, now: began },
  )
  return { batchItemFailures: left.map(({ messageId }) => ({ itemIdentifier: messageId })) }
}
