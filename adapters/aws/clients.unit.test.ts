import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { BatchExecuteStatementCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn'
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Aws, type ConnectOptions, connect } from './clients.ts'
import { authorization, sha256 } from './signature.ts'

type Seen = { method: string; path: string; headers: IncomingHttpHeaders; body: Buffer }
type Reply = { status: number; body: string; headers?: Record<string, string> } | 'hang up' | 'silence'

/** A server on this machine that keeps what it is sent and answers what the test says. */
const seen: Seen[] = []
let replies: Reply[] = []
const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    seen.push({
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(parts),
    })
    const reply = replies.shift() ?? { status: 200, body: '{}' }
    if (reply === 'hang up') request.socket.destroy()
    else if (reply !== 'silence') response.writeHead(reply.status, reply.headers).end(reply.body)
  })
})
let endpoint = ''
beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  seen.length = 0
  replies = []
})

const region = 'eu-central-1'
const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'session/token+=',
}
const ours = (options: Partial<ConnectOptions> = {}): Aws =>
  connect({ region, endpoint, credentials: async () => credentials, ...options })
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

describe('failures', () => {
  const call = (options: Partial<ConnectOptions> = {}) => ours(options).call('dynamodb', 'GetItem', {})
  const refusal = (type: string, status = 400): Reply => ({
    status,
    body: JSON.stringify({ __type: type, message: 'why' }),
  })

  test.each<[string, Reply]>([
    ['a server error', { status: 500, body: '<html>' }],
    ['throttling', refusal('com.amazonaws.dynamodb.v20120810#ThrottlingException')],
    [
      'too little throughput',
      refusal('com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException'),
    ],
    ['429', { status: 429, body: '{}' }],
    ['a closed connection', 'hang up'],
  ])('%s is tried again', async (_, reply) => {
    replies = [reply, { status: 200, body: '{"Item":{}}' }]
    expect(await call()).toEqual({ Item: {} })
    expect(seen).toHaveLength(2)
  })

  test('silence is tried again after the timeout', async () => {
    replies = ['silence', { status: 200, body: '{"Item":{}}' }]
    expect(await call({ timeout: 50 })).toEqual({ Item: {} })
  })

  test('after the last try it fails with what came last', async () => {
    replies = [refusal('x#ThrottlingException'), 'hang up', { status: 503, body: 'busy' }]
    await expect(call({ attempts: 3 })).rejects.toMatchObject({
      code: 'Http503',
      status: 503,
      message: 'busy',
    })
    expect(seen).toHaveLength(3)
  })

  test('what will not get better is not tried again, and keeps its name and detail', async () => {
    replies = [
      {
        status: 400,
        body: '{"__type":"a.b#TransactionCanceledException","Message":"no","CancellationReasons":[]}',
      },
    ]
    await expect(call()).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      code: 'TransactionCanceledException',
      message: 'no',
      detail: { CancellationReasons: [] },
    })
    expect(seen).toHaveLength(1)
  })

  test('S3 and SNS say it in XML', async () => {
    replies = [{ status: 404, body: '<?xml?><Error><Code>NoSuchKey</Code><Message>gone</Message></Error>' }]
    await expect(ours().object('GET', 'b', 'k')).rejects.toMatchObject({ code: 'NoSuchKey', message: 'gone' })
    replies = [
      {
        status: 400,
        body: '<ErrorResponse><Error><Code>InvalidParameter</Code><Message>m</Message></Error></ErrorResponse>',
      },
    ]
    await expect(ours().form('sns', {})).rejects.toMatchObject({ code: 'InvalidParameter' })
  })

  test('an error in JSON from a 404 without a name is named by its status', async () => {
    replies = [{ status: 404, body: '{}' }]
    await expect(call()).rejects.toMatchObject({ code: 'Http404' })
  })
})

test('connections are used again', async () => {
  const aws = ours()
  const ports = new Set<number | undefined>()
  server.on('connection', (socket) => ports.add(socket.remotePort))
  for (let n = 0; n < 5; n++) await aws.call('sqs', 'SendMessage', {})
  expect(ports.size).toBe(1)
})

test('missing settings are named', async () => {
  const { AWS_REGION } = process.env
  delete process.env.AWS_REGION
  expect(() => connect({ endpoint })).toThrow('AWS_REGION')
  process.env.AWS_REGION = AWS_REGION
  const { AWS_ACCESS_KEY_ID } = process.env
  delete process.env.AWS_ACCESS_KEY_ID
  await expect(connect({ endpoint }).call('sqs', 'SendMessage', {})).rejects.toThrow('AWS_ACCESS_KEY_ID')
  process.env.AWS_ACCESS_KEY_ID = AWS_ACCESS_KEY_ID
  expect(seen).toHaveLength(0)
})
