import type { Context, DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda'
import { type RelayDeps, relay } from '../../core/gate/relay.ts'
import { outboxKeyOf } from '../aws/memory-items.ts'
import { tellOutcomes } from './outcomes.ts'

export type RelayPorts = RelayDeps & { stage: string }

/** The stream of memory only wakes it: what it sends is what the outbox holds. What it cannot send stays there. */
export const relayStream =
  (ports: RelayPorts) =>
  async ({ Records }: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> => {
    const began = Date.now()
    const keys = Records.flatMap(({ dynamodb }) => outboxKeyOf(dynamodb?.Keys?.pk?.S) ?? [])
    const { outcomes, stayed } = await relay(keys, ports)
    tellOutcomes(outcomes, context, { stage: ports.stage, began, detail: { stayed } })
    return { batchItemFailures: [] }
  }
