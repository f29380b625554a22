import {
  DescribeContinuousBackupsCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import {
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import { z } from 'zod'
import { clientSettings } from './endpoint.ts'
import { functionNameOf, type Resource } from './templates.ts'

export type Clients = { tables: DynamoDBClient; functions: LambdaClient }

export const clientsOf = (endpoint: string): Clients => ({
  tables: new DynamoDBClient(clientSettings(endpoint)),
  functions: new LambdaClient(clientSettings(endpoint)),
})

/** Something that the endpoint's CloudFormation takes and does not do, and the API call that does it. */
export type Mend = {
  name: string
  why: string
  /** the types of resource in a template that it concerns */
  types: readonly string[]
  /** Whether the endpoint has this resource otherwise than its template says. */
  needed: (resource: Resource, clients: Clients) => Promise<boolean>
  apply: (resource: Resource, clients: Clients) => Promise<void>
}

const tableTypes = ['AWS::DynamoDB::GlobalTable', 'AWS::DynamoDB::Table']

const recovery = z.object({ PointInTimeRecoveryEnabled: z.boolean().optional() }).optional()
const table = z.object({
  TableName: z.string(),
  TimeToLiveSpecification: z.object({ AttributeName: z.string(), Enabled: z.boolean() }).optional(),
  /** of a Table; a GlobalTable says it per replica */
  PointInTimeRecoverySpecification: recovery,
  Replicas: z.array(z.object({ PointInTimeRecoverySpecification: recovery })).optional(),
})

const timeToLive: Mend = {
  name: 'table-ttl',
  why: 'CloudFormation there drops TimeToLiveSpecification: expired items would stay',
  types: tableTypes,
  needed: async ({ properties }, { tables }) => {
    const { TableName, TimeToLiveSpecification: wanted } = table.parse(properties)
    if (!wanted?.Enabled) return false
    const { TimeToLiveDescription: is } = await tables.send(new DescribeTimeToLiveCommand({ TableName }))
    return is?.TimeToLiveStatus !== 'ENABLED' || is.AttributeName !== wanted.AttributeName
  },
  apply: async ({ properties }, { tables }) => {
    const { TableName, TimeToLiveSpecification } = table.parse(properties)
    await tables.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }))
  },
}

const pointInTimeRecovery: Mend = {
  name: 'table-recovery',
  why: 'CloudFormation there drops PointInTimeRecoverySpecification: what asks for it would be answered wrongly',
  types: tableTypes,
  needed: async ({ properties }, { tables }) => {
    const { TableName, PointInTimeRecoverySpecification, Replicas = [] } = table.parse(properties)
    const wanted = [{ PointInTimeRecoverySpecification }, ...Replicas].some(
      (place) => place.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled,
    )
    if (!wanted) return false
    const { ContinuousBackupsDescription: is } = await tables.send(
      new DescribeContinuousBackupsCommand({ TableName }),
    )
    return is?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus !== 'ENABLED'
  },
  apply: async ({ properties }, { tables }) => {
    const { TableName } = table.parse(properties)
    await tables.send(
      new UpdateContinuousBackupsCommand({
        TableName,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      }),
    )
  },
}

const mapping = z.object({ FunctionName: z.unknown(), MaximumRetryAttempts: z.number().optional() })
/** the least that AWS takes, in seconds */
const recordAge = 60

const streamRetries: Mend = {
  name: 'stream-retries',
  why: 'MaximumRetryAttempts of a stream mapping is ignored there: a batch that fails would block the shard for as long as records live',
  types: ['AWS::Lambda::EventSourceMapping'],
  needed: async (resource, { functions }) => {
    if (mapping.parse(resource.properties).MaximumRetryAttempts === undefined) return false
    return (await streamMappings(resource, functions)).some(
      ({ MaximumRecordAgeInSeconds: is }) => is !== recordAge,
    )
  },
  apply: async (resource, { functions }) => {
    for (const { UUID } of await streamMappings(resource, functions))
      await functions.send(
        new UpdateEventSourceMappingCommand({ UUID, MaximumRecordAgeInSeconds: recordAge }),
      )
  },
}

async function streamMappings({ template, properties }: Resource, functions: LambdaClient) {
  const name = functionNameOf(mapping.parse(properties).FunctionName, template)
  const { EventSourceMappings = [] } = await functions.send(new ListEventSourceMappingsCommand({}))
  return EventSourceMappings.filter(
    ({ EventSourceArn, FunctionArn }) =>
      EventSourceArn?.includes('/stream/') && FunctionArn?.split(':')[6] === name,
  )
}

export const mends: readonly Mend[] = [timeToLive, pointInTimeRecovery, streamRetries]

/** Applies each mend where it is needed; answers the names of those that were. Safe to do again. */
export async function mend(resources: readonly Resource[], clients: Clients): Promise<string[]> {
  const applied = new Set<string>()
  for (const { name, types, needed, apply } of mends)
    for (const resource of resources.filter(({ type }) => types.includes(type)))
      if (await needed(resource, clients)) {
        await apply(resource, clients)
        applied.add(name)
      }
  return [...applied]
}
