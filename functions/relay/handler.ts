import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda'
import { outboxKeyOf } from '../../adapters/aws/memory-items.ts'
import { environment } from '../../adapters/environment.ts'
import { tellOutcomes } from '../../adapters/lambda/outcomes.ts'
import { plainMemoryPort, recordPorts } from '../../adapters/lambda/ports.ts'
import { relay } from '../../core/relay.ts'

const { STAGE } = environment(['STAGE'])
const ports = { ...recordPorts(), memory: plainMemoryPort() }

/** The stream of memory only wakes it: what it sends is what the outbox holds. What it cannot send stays there. */
export const handler = async (
  { Records }: DynamoDBStreamEvent,
  context: Context,
): Promise<DynamoDBBatchResponse> => {
  const began = Date.now()
  const keys = Records.flatMap(({ dynamodb }) => outboxKeyOf(dynamodb?.Keys?.pk?.S) ?? [])
  const { outcomes, stayed } = await relay(keys, ports)
  tellOutcomes(outcomes, context, { stage: STAGE, began, detail: { stayed } })
  return { batchItemFailures: [] }
}
