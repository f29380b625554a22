import { setTimeout as sleep } from 'node:timers/promises'
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { ListEventSourceMappingsCommand } from '@aws-sdk/client-lambda'
import { beforeAll, expect, inject, test } from 'vitest'
import { createStack } from '../test/endpoint/stack.ts'
import { clientsOf, mends } from './mends.ts'
import { type Resource, resourcesIn } from './templates.ts'

const clients = clientsOf(inject('endpoint'))
const stream = { 'Fn::GetAtt': ['Table', 'StreamArn'] }

/** A stack with one resource for each mend. */
const template = {
  Resources: {
    Table: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        TableName: 'mends-table',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
        TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
    },
    Function: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: 'mends-function',
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Role: 'arn:aws:iam::000000000000:role/none',
        Code: {
          // the first record can never be handled; what comes after it can, and says so
          ZipFile: `exports.handler = async ({ Records }) => {
            for (const { dynamodb } of Records) if (dynamodb.Keys.pk.S === 'poison') throw new Error('poison')
            await fetch(process.env.AWS_ENDPOINT_URL, { method: 'POST', headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'DynamoDB_20120810.PutItem' },
              body: JSON.stringify({ TableName: 'mends-table', Item: { pk: { S: 'handled' } } }) })
          }`,
        },
      },
    },
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        FunctionName: { Ref: 'Function' },
        EventSourceArn: stream,
        StartingPosition: 'TRIM_HORIZON',
        BatchSize: 1,
        MaximumRetryAttempts: 1,
      },
    },
  },
}

beforeAll(() => createStack(inject('endpoint'), 'mends', template))

const put = (pk: string) =>
  clients.tables.send(new PutItemCommand({ TableName: 'mends-table', Item: { pk: { S: pk } } }))

async function lastResult() {
  const { EventSourceMappings } = await clients.functions.send(
    new ListEventSourceMappingsCommand({ FunctionName: 'mends-function' }),
  )
  return EventSourceMappings?.[0]?.LastProcessingResult
}

test('stream-retries is still needed: one record that fails blocks those behind it for good', async () => {
  await put('poison')
  await put('good')
  await expect.poll(lastResult, { timeout: 20_000 }).toBe('FAILED')
  await sleep(6_000)
  const { Item } = await clients.tables.send(
    new GetItemCommand({ TableName: 'mends-table', Key: { pk: { S: 'handled' } } }),
  )
  expect(Item, 'the endpoint keeps to MaximumRetryAttempts now: remove the mend').toBeUndefined()
})

const resources = resourcesIn(template as unknown as Resource['template'])

test.each(mends)('$name: the endpoint still needs it, and it does what it says', async (mend) => {
  const resource = resources.find(({ type }) => mend.types.includes(type))
  if (!resource) throw new Error('the stack of this test has nothing for this mend: add a resource')
  const message = 'the endpoint does it itself now: remove the mend'
  expect(await mend.needed(resource, clients), message).toBe(true)
  await mend.apply(resource, clients)
  expect(await mend.needed(resource, clients), 'it does not help').toBe(false)
})
