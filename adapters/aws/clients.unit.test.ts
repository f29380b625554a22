import { BatchExecuteStatementCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn'
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { describe, expect, test } from 'vitest'
import { credentials, endpoint, ours, region, type Seen, seen } from '../../test/aws-server.ts'
import { type Aws, connect } from './clients.ts'
import { authorization, sha256 } from './signature.ts'

const theirs = () => ({ region, endpoint, credentials, maxAttempts: 1 })

/** The SDK names the operation in the query of S3 requests; nobody reads it, and we send none. */
function s3(): S3Client {
  const client = new S3Client({
    ...theirs(),
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  })
  client.middlewareStack.add(
    (next) => (args) => {
      delete (args.request as { query: Record<string, unknown> }).query['x-id']
      return next(args)
    },
    { step: 'build', priority: 'low' },
  )
  return client
}

const name = 'ünï/a b+c&d=e!*()~\'".json'
const body = Buffer.from('{"text":"ü"}')
const statements = { Statements: [{ Statement: `INSERT INTO "t" VALUE {'pk':?}`, Parameters: [{ S: 'ü' }] }] }
const messages = {
  QueueUrl: 'https://sqs.eu-central-1.amazonaws.com/1/q',
  Entries: [
    { Id: '0', MessageBody: 'ü', MessageAttributes: { queue: { DataType: 'String', StringValue: 'q' } } },
  ],
}
const start = {
  stateMachineArn: 'arn:aws:states:eu-central-1:1:stateMachine:x',
  name: 'n',
  input: '{"a":"ü"}',
}
const put = { Entries: [{ EventBusName: 'b', Source: 's', DetailType: 't', Detail: '{"a":"ü"}' }] }

const pairs: [string, service: string, sdk: () => Promise<unknown>, own: (aws: Aws) => Promise<unknown>][] = [
  [
    'DynamoDB',
    'dynamodb',
    () => new DynamoDBClient(theirs()).send(new BatchExecuteStatementCommand(statements)),
    (aws) => aws.call('dynamodb', 'BatchExecuteStatement', statements),
  ],
  [
    'SQS',
    'sqs',
    () => new SQSClient(theirs()).send(new SendMessageBatchCommand(messages)),
    (aws) => aws.call('sqs', 'SendMessageBatch', messages),
  ],
  [
    'Step Functions',
    'states',
    () => new SFNClient(theirs()).send(new StartExecutionCommand(start)),
    (aws) => aws.call('states', 'StartExecution', start),
  ],
  [
    'EventBridge',
    'events',
    () => new EventBridgeClient(theirs()).send(new PutEventsCommand(put)),
    (aws) => aws.call('events', 'PutEvents', put),
  ],
  [
    'Secrets Manager',
    'secretsmanager',
    () => new SecretsManagerClient(theirs()).send(new GetSecretValueCommand({ SecretId: 's' })),
    (aws) => aws.call('secretsmanager', 'GetSecretValue', { SecretId: 's' }),
  ],
  [
    'SNS',
    'sns',
    () =>
      new SNSClient(theirs()).send(
        new PublishCommand({
          TopicArn: 'arn:t',
          Subject: 'a b',
          Message: "ü=1&b+c!'()*~",
          MessageAttributes: { kind: { DataType: 'String', StringValue: 'x' } },
        }),
      ),
    (aws) =>
      aws.form('sns', {
        Action: 'Publish',
        Version: '2010-03-31',
        TopicArn: 'arn:t',
        Subject: 'a b',
        Message: "ü=1&b+c!'()*~",
        'MessageAttributes.entry.1.Name': 'kind',
        'MessageAttributes.entry.1.Value.DataType': 'String',
        'MessageAttributes.entry.1.Value.StringValue': 'x',
      }),
  ],
  [
    'S3 get',
    's3',
    () => s3().send(new GetObjectCommand({ Bucket: 'b', Key: name })),
    (aws) => aws.object('GET', 'b', name),
  ],
  [
    'S3 put',
    's3',
    () =>
      s3().send(
        new PutObjectCommand({ Bucket: 'b', Key: name, Body: body, ContentType: 'application/octet-stream' }),
      ),
    (aws) => aws.object('PUT', 'b', name, body),
  ],
]

/** The signature that our code makes of a request as it arrived, over the headers that its sender signed. */
function signatureOf({ method, path, headers, body: sent }: Seen, service: string): string {
  const signed = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? []
  return authorization(
    {
      method,
      path,
      headers: Object.fromEntries(signed.map((header) => [header, String(headers[header])])),
      payload: String(headers['x-amz-content-sha256'] ?? sha256(sent)),
      service,
      region,
    },
    credentials,
  )
}

const meaning = ({ body: sent, headers }: Seen) => {
  const text = sent.toString()
  if (headers['content-type'] === 'application/x-www-form-urlencoded')
    return [...new URLSearchParams(text)].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return String(headers['content-type']).includes('json') ? JSON.parse(text) : text
}

describe.each(pairs)('%s', (_, service, sdk, own) => {
  test('is sent what the SDK would send, signed as the SDK would sign it', async () => {
    // the answer is of no interest, and the SDK does not understand `{}` from S3 and SNS
    await sdk().catch(() => undefined)
    await own(ours())
    const [their, our] = seen
    if (their === undefined || our === undefined) return expect.fail('both send one request')
    expect(our.method).toBe(their.method)
    expect(our.path).toBe(their.path)
    expect(our.headers['content-type']).toBe(their.headers['content-type'])
    expect(our.headers['x-amz-target']).toBe(their.headers['x-amz-target'])
    expect(our.headers['x-amz-security-token']).toBe(credentials.sessionToken)
    expect(meaning(our)).toEqual(meaning(their))
    expect(our.headers.authorization).toBe(signatureOf(our, service))
    expect(their.headers.authorization).toBe(signatureOf(their, service))
  })
})

test('the signature is the one that AWS publishes for its example', () => {
  const headers = { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' }
  const request = {
    method: 'GET',
    path: '/',
    headers,
    payload: sha256(''),
    service: 'service',
    region: 'us-east-1',
  }
  expect(authorization(request, credentials)).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  )
})

test.each([
  ['dynamodb.eu-central-1.amazonaws.com', (aws: Aws) => aws.call('dynamodb', 'Query', {})],
  ['sqs.eu-central-1.amazonaws.com', (aws: Aws) => aws.call('sqs', 'SendMessage', {})],
  ['states.eu-central-1.amazonaws.com', (aws: Aws) => aws.call('states', 'StartExecution', {})],
  ['bucket.s3.eu-central-1.amazonaws.com', (aws: Aws) => aws.object('GET', 'bucket', 'key')],
])('without an endpoint it goes to %s', async (host, send) => {
  // the guard of the tests lets nothing out and names the host
  const aws = connect({ region, credentials: async () => credentials, attempts: 1 })
  await expect(send(aws)).rejects.toMatchObject({
    code: 'NetworkError',
    message: expect.stringContaining(` ${host}`),
  })
})
