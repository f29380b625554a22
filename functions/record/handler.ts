import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { accountProjects, environment } from '../../adapters/environment.ts'
import { hide } from '../../adapters/lambda/hide.ts'
import { tellOutcomes } from '../../adapters/lambda/outcomes.ts'
import { recordPorts } from '../../adapters/lambda/ports.ts'
import { readMessage } from '../../core/arrival.ts'
import { isThrough, record, secondsUntilAgain } from '../../core/record.ts'

const { STAGE, ACCOUNT_PROJECTS } = environment(['STAGE', 'ACCOUNT_PROJECTS'])
const accounts = accountProjects(ACCOUNT_PROJECTS)
const ports = recordPorts()

/** The record queue: what came by PutEvents, what handlers and workflows emit, what AWS tells of executions. */
export const handler = async ({ Records }: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
  const began = Date.now()
  const arrivals = Records.map(({ body, attributes }) =>
    readMessage(body, new Date(Number(attributes.SentTimestamp)).toISOString(), accounts),
  )
  const outcomes = await record(arrivals, ports)
  tellOutcomes(outcomes, context, { stage: STAGE, began })
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
