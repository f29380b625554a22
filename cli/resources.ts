import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DescribeRuleCommand, EventBridgeClient } from '@aws-sdk/client-eventbridge'
import {
  type EventSourceMappingConfiguration,
  GetFunctionConfigurationCommand,
  LambdaClient,
  paginateListEventSourceMappings,
} from '@aws-sdk/client-lambda'
import { DescribeStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn'
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { StageConfig } from '../adapters/stage-config.ts'
import type { awsSettings } from './aws.ts'

type Settings = Awaited<ReturnType<typeof awsSettings>>

/** One thing that should be there. `fault`: why it is not, or does not work. */
export type CheckedResource = { name: string; fault?: string }

/** Messages of one queue: waiting, being handled, delayed. */
export type Depth = { queue: string; waiting: number; handled: number; delayed: number }

export const sayOf = (error: unknown): string =>
  error instanceof Error ? (error.message || error.name).replace(/\s+/g, ' ') : String(error)

/** `ask` answers a fault, or nothing when all is well; what it throws is a fault too. */
const each = (
  names: readonly string[],
  ask: (name: string) => Promise<string | undefined>,
): Promise<CheckedResource[]> =>
  Promise.all(
    names.map(async (name): Promise<CheckedResource> => {
      try {
        const fault = await ask(name)
        return { name, ...(fault === undefined ? {} : { fault }) }
      } catch (error) {
        const missing = /NotFound|NonExistent|DoesNotExist/.test(String(error))
        return { name, fault: missing ? 'missing' : sayOf(error) }
      }
    }),
  )

/** A state that is not among these is a fault; an endpoint that says none is believed. */
const unless = (good: RegExp, state: string | undefined): string | undefined =>
  state === undefined || good.test(state) ? undefined : `is ${state}`

export function findFunctions(settings: Settings, { functions }: StageConfig): Promise<CheckedResource[]> {
  const client = new LambdaClient(settings)
  return each(Object.keys(functions), async (name) => {
    const command = new GetFunctionConfigurationCommand({ FunctionName: functions[name] })
    // one that was not called for weeks is inactive, and wakes when it is
    return unless(/^(Active|Inactive)$/, (await client.send(command)).State)
  })
}

export async function findQueues(
  settings: Settings,
  { queuePrefix }: StageConfig,
  queues: readonly string[],
): Promise<(CheckedResource & { depth?: Depth })[]> {
  const client = new SQSClient(settings)
  const depths = new Map<string, Depth>()
  const found = await each(queues, async (queue) => {
    const command = new GetQueueAttributesCommand({
      QueueUrl: `${queuePrefix}${queue}`,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ],
    })
    const { Attributes = {} } = await client.send(command)
    depths.set(queue, {
      queue,
      waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
      handled: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
      delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
    })
    return undefined
  })
  return found.map((each) => {
    const depth = depths.get(each.name)
    return { ...each, ...(depth === undefined ? {} : { depth }) }
  })
}

/** What takes from each queue, and from the outbox's stream: disabled, nothing happens and nothing fails. */
export async function findMappings(
  settings: Settings,
  { memoryTable, stage }: StageConfig,
  queues: readonly string[],
): Promise<CheckedResource[]> {
  const mappings = mappingsOf(settings)
  const stream = `stream of ${memoryTable}`
  return each([...queues, stream], async (name) => {
    const own = (await mappings).filter(({ EventSourceArn = '' }) =>
      name === stream
        ? EventSourceArn.includes(`:table/${memoryTable}/stream/`)
        : EventSourceArn.endsWith(`:loadpath-${stage}-${name}`),
    )
    if (own.length === 0) return 'nothing takes from it'
    const faults = own.map(({ State, UUID }) => {
      const fault = unless(/^(Enabled|Enabling|Creating|Updating)$/, State)
      return fault && UUID ? `${fault}, its mapping is ${UUID}` : fault
    })
    return faults.includes(undefined) ? undefined : faults[0]
  })
}

async function mappingsOf(settings: Settings): Promise<EventSourceMappingConfiguration[]> {
  const client = new LambdaClient(settings)
  const all: EventSourceMappingConfiguration[] = []
  for await (const { EventSourceMappings = [] } of paginateListEventSourceMappings({ client }, {}))
    all.push(...EventSourceMappings)
  return all
}

/** What EventBridge hands on, and what it starts by the clock: disabled, nothing happens and nothing fails. */
export function findRules(settings: Settings, { stage, inboxBus }: StageConfig): Promise<CheckedResource[]> {
  const client = new EventBridgeClient(settings)
  return each(['inbox', 'states', 'sweep', 'mesh-validation'], async (name) => {
    const rule = { Name: `loadpath-${stage}-${name}`, ...(name === 'inbox' && { EventBusName: inboxBus }) }
    const fault = unless(/^ENABLED/, (await client.send(new DescribeRuleCommand(rule))).State)
    const bus = rule.EventBusName === undefined ? '' : ` --event-bus-name ${rule.EventBusName}`
    return fault && `${fault}; aws events enable-rule --name ${rule.Name}${bus}`
  })
}

export function findMachines(
  settings: Settings,
  { stateMachinePrefix }: StageConfig,
  workflows: readonly string[],
): Promise<CheckedResource[]> {
  const client = new SFNClient(settings)
  return each(workflows, async (workflow) => {
    const command = new DescribeStateMachineCommand({ stateMachineArn: `${stateMachinePrefix}${workflow}` })
    return unless(/^ACTIVE$/, (await client.send(command)).status)
  })
}

export function findTables(settings: Settings, config: StageConfig): Promise<CheckedResource[]> {
  const client = new DynamoDBClient(settings)
  return each([config.historyTable, config.memoryTable, config.ephemeralTable], async (name) => {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }))
    return unless(/^(ACTIVE|UPDATING)$/, Table?.TableStatus)
  })
}
