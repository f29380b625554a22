import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { beforeAll, describe, expect, inject, test, vi } from 'vitest'
import * as z from 'zod'
import { createQueue, createTable, drain } from '../../test/aws-resources.ts'
import { bodiesContract } from '../contract/bodies.ts'
import { ephemeralContract } from '../contract/ephemeral.ts'
import { queuesContract } from '../contract/queues.ts'
import { minute, noise } from '../contract/samples.ts'
import { stacksContract } from '../contract/stacks.ts'
import { workflowsContract } from '../contract/workflows.ts'
import { s3Bodies } from './bodies.ts'
import { busPublisher } from './bus.ts'
import { connect } from './clients.ts'
import { dynamoEphemeral } from './ephemeral.ts'
import { sqsQueues } from './queues.ts'
import { secretReader } from './secrets.ts'
import { cloudFormation } from './stacks.ts'
import { topicPublisher } from './topic.ts'
import { setVisibility } from './visibility.ts'
import { stepFunctions } from './workflows.ts'

const aws = connect()
const endpoint = inject('endpoint')
const region = 'us-east-1'

describe('ephemeral', () => {
  let table = ''
  let now = minute(0)
  beforeAll(async () => {
    table = await createTable(aws, 'ephemeral')
  })
  ephemeralContract(() => ({
    ephemeral: dynamoEphemeral({ aws, table, clock: () => now }),
    setTime: (time) => {
      now = time
    },
  }))
})

describe('queues', () => {
  const split = (url: string) => ({ prefix: url.slice(0, -8), name: url.slice(-8) })
  const ordered = () => false
  const urls = new Map<string, string>()
  let prefix = ''

  /** All queues share the prefix that each of them has: all but the end of its URL. */
  async function fresh(kind: { ordered: boolean }): Promise<string> {
    const url = await createQueue(aws, kind)
    prefix = url.slice(0, url.lastIndexOf('/') + 1)
    const name = url.slice(prefix.length).replace(/\.fifo$/, '')
    urls.set(name, url)
    return name
  }
  const queues = () =>
    sqsQueues({ aws, prefix, ordered: (queue) => urls.get(queue)?.endsWith('.fifo') === true })
  queuesContract(() => ({
    queues: { send: (...sent) => queues().send(...sent), depth: (queue) => queues().depth(queue) },
    fresh: () => fresh({ ordered: false }),
    freshOrdered: () => fresh({ ordered: true }),
    drain: async (queue) => (await drain(aws, urls.get(queue) ?? '')).map(({ body }) => body),
  }))

  test.each([false, true])(
    'what was received is hidden for as long as it is told (ordered: %s)',
    async (kind) => {
      const queue = await fresh({ ordered: kind })
      await queues().send(queue, kind ? [{ body: 'b', group: 'g', dedupe: 'd' }] : ['b'])
      const receive = async () => {
        const QueueUrl = urls.get(queue)
        const answer = await aws.call('sqs', 'ReceiveMessage', { QueueUrl, VisibilityTimeout: 30 })
        return z
          .object({ Messages: z.array(z.object({ ReceiptHandle: z.string() })).default([]) })
          .parse(answer).Messages
      }
      const [message] = await receive()
      expect(await receive()).toEqual([])
      const hide = setVisibility({ aws, prefix, ordered: () => kind })
      await hide(queue, message?.ReceiptHandle ?? '', 0)
      expect(await receive()).toHaveLength(1)
    },
  )

  test('each message says in an attribute whose it is', async () => {
    const url = await createQueue(aws)
    const { prefix, name } = split(url)
    await sqsQueues({ aws, prefix, ordered }).send(name, ['{}', '{}'])
    expect((await drain(aws, url)).map(({ queue }) => queue)).toEqual([name, name])
  })

  test('a queue that is not there fails each body by its index', async () => {
    const url = await createQueue(aws)
    const failures = await sqsQueues({ aws, prefix: `${url}-not-`, ordered }).send(
      'there',
      Array(12).fill('{}'),
    )
    expect(failures.map(({ index }) => index)).toEqual(Array.from({ length: 12 }, (_, n) => n))
    expect(failures[0]?.error).toMatchObject({
      code: expect.stringMatching(/QueueDoesNotExist|NonExistentQueue/),
    })
  })
})

describe('bodies', () => {
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true })
  const bucket = `bodies-${randomUUID()}`
  beforeAll(async () => {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }))
  })
  bodiesContract(() => ({
    bodies: s3Bodies({ aws, bucket }),
    expireBody: async (key) => {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    },
  }))

  test('a bucket that is not there is no missing body', async () => {
    await expect(s3Bodies({ aws, bucket: `no-${randomUUID()}` }).get('x')).rejects.toMatchObject({
      code: 'NoSuchBucket',
    })
  })
})

describe('stacks', () =>
  stacksContract(() => ({
    stacks: cloudFormation({ aws }),
    deploy: async (StackName, template) => {
      // one of more than 51,200 bytes is taken from S3 alone
      const s3 = new S3Client({ endpoint, region, forcePathStyle: true })
      const bucket = `templates-${randomUUID()}`
      await s3.send(new CreateBucketCommand({ Bucket: bucket }))
      await aws.object('PUT', bucket, 'template.json', Buffer.from(JSON.stringify(template, null, 1)))
      const answered = aws.form('cloudformation', {
        Action: 'CreateStack',
        Version: '2010-05-15',
        StackName,
        TemplateURL: `${endpoint}/${bucket}/template.json`,
      })
      // a request whose answer got lost is sent again, and the name is nobody else's
      await answered.catch((error) => expect(error).toMatchObject({ code: 'AlreadyExistsException' }))
    },
  })))

describe('workflows', async () => {
  let prefix = ''
  let queue = ''
  const waiting = `waiting-${randomUUID()}`
  beforeAll(async () => {
    queue = await createQueue(aws)
    const answer = await aws.call('states', 'CreateStateMachine', {
      name: waiting,
      roleArn: 'arn:aws:iam::000000000000:role/any',
      definition: JSON.stringify({
        QueryLanguage: 'JSONata',
        StartAt: 'Wait',
        States: {
          Wait: {
            Type: 'Task',
            Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
            Arguments: {
              QueueUrl: queue,
              MessageBody:
                '{% { "run": $states.context.Execution.Name, "token": $states.context.Task.Token } %}',
            },
            TimeoutSeconds: 60,
            End: true,
          },
        },
      }),
    })
    const { stateMachineArn } = z.object({ stateMachineArn: z.string() }).parse(answer)
    prefix = stateMachineArn.slice(0, -waiting.length)
  })

  const asked = z.object({ run: z.string(), token: z.string() })
  const tokens = new Map<string, string>()
  workflowsContract(() => ({
    workflows: stepFunctions({ aws, prefix }),
    waiting,
    tokenOf: (name) =>
      vi.waitFor(
        async () => {
          for (const { body } of await drain(aws, queue)) {
            const { run, token } = asked.parse(JSON.parse(body))
            tokens.set(run, token)
          }
          return tokens.get(name) ?? expect.fail('not asked yet')
        },
        { timeout: 10_000 },
      ),
  }))

  test('a workflow that is not there cannot be started', async () => {
    await expect(stepFunctions({ aws, prefix }).start('nothing', 'x', {})).rejects.toMatchObject({
      code: 'StateMachineDoesNotExist',
    })
  })
})

test('a secret is kept for a minute and read anew when asked', async () => {
  const name = `secret-${randomUUID()}`
  await aws.call('secretsmanager', 'CreateSecret', {
    Name: name,
    SecretString: 'one',
    ClientRequestToken: randomUUID(),
  })
  let now = minute(0)
  const secret = secretReader({ aws, arn: name, clock: () => now })
  expect(await secret.get()).toBe('one')
  await aws.call('secretsmanager', 'PutSecretValue', {
    SecretId: name,
    SecretString: 'zwei',
    ClientRequestToken: randomUUID(),
  })
  now = '2026-01-01T12:00:59.999Z'
  expect(await secret.get()).toBe('one')
  now = minute(1)
  expect(await secret.get()).toBe('zwei')
  await aws.call('secretsmanager', 'PutSecretValue', {
    SecretId: name,
    SecretString: 'three',
    ClientRequestToken: randomUUID(),
  })
  expect(await secret.get()).toBe('zwei')
  expect(await secret.refresh()).toBe('three')
  expect(await secret.get()).toBe('three')
})

test('a notification arrives with its subject, text and attributes', async () => {
  const sns = new SNSClient({ endpoint, region })
  const url = await createQueue(aws)
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: `topic-${randomUUID()}` }))
  const Endpoint = `arn:aws:sqs:${region}:000000000000:${url.slice(url.lastIndexOf('/') + 1)}`
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }))
  const publish = topicPublisher({ aws, topic: TopicArn ?? '' })
  const id = await publish({
    subject: `größer\n${'x'.repeat(200)}`,
    text: 'Freigabe nötig: a=b&c="d" 🦊\nzweite Zeile',
    attributes: { kind: 'approval', project: 'main' },
  })
  expect(id).not.toBe('')
  const [message] = await vi.waitFor(async () => {
    const found = await drain(aws, url)
    expect(found).toHaveLength(1)
    return found
  })
  expect(JSON.parse(message?.body ?? '')).toMatchObject({
    MessageId: id,
    Subject: expect.stringMatching(/^gr er x+\.\.\.$/),
    Message: 'Freigabe nötig: a=b&c="d" 🦊\nzweite Zeile',
    MessageAttributes: { kind: { Value: 'approval' }, project: { Value: 'main' } },
  })
})

test('entries put on a bus reach its rules, however many calls it takes', async () => {
  const bus = `bus-${randomUUID()}`
  const url = await createQueue(aws)
  await aws.call('events', 'CreateEventBus', { Name: bus })
  await aws.call('events', 'PutRule', {
    Name: 'all',
    EventBusName: bus,
    EventPattern: JSON.stringify({ source: ['loadpath'] }),
  })
  const Arn = `arn:aws:sqs:${region}:000000000000:${url.slice(url.lastIndexOf('/') + 1)}`
  await aws.call('events', 'PutTargets', { Rule: 'all', EventBusName: bus, Targets: [{ Id: 'q', Arn }] })
  const entries = Array.from({ length: 13 }, (_, n) => ({
    source: 'loadpath',
    detailType: 'build.status-changed',
    detail: { n, text: 'ü', large: noise(60_000) },
    time: minute(n),
    resources: ['arn:aws:x'],
  }))
  expect(await busPublisher({ aws, bus })(entries)).toEqual([])
  const all: { detail: { n: number }; time: string }[] = []
  await vi.waitFor(async () => {
    all.push(...(await drain(aws, url)).map(({ body }) => JSON.parse(body)))
    expect(all).toHaveLength(13)
  })
  expect(all.map(({ detail }) => detail.n).toSorted((a, b) => a - b)).toEqual(entries.map((_, n) => n))
})
