import { execFile, execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda'
import { SNSClient, SubscribeCommand, UnsubscribeCommand } from '@aws-sdk/client-sns'
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { orderedIn } from '../../events/route.ts'
import { routes } from '../../events/routes.ts'
import { root } from '../../local/places.ts'
import { holderOf } from '../../local/port.ts'
import { signal } from '../../local/processes.ts'
import { createQueue, drain } from '../aws-resources.ts'
import { eventually, type Stage } from './stage.ts'

/** What somebody does who looks after the stage: its command line, and AWS past Loadpath. */

/** The real command line as a child process, with what a user has set. */
export function commandLine({ endpoint, key, config }: Stage) {
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL: endpoint,
    LOADPATH_STAGE: config.stage,
    LOADPATH_API_KEY: key,
  }
  const loadpath = (...words: string[]): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve, reject) => {
      const script = join(root, 'cli', 'main.ts')
      execFile(process.execPath, [script, ...words], { env, timeout: 100_000 }, (error, out, err) => {
        if (error === null) resolve({ code: 0, out, err })
        else if (typeof error.code === 'number') resolve({ code: error.code, out, err })
        else reject(error)
      })
    })
  return {
    loadpath,
    /** What it answers as JSON when all goes well. */
    async said(...words: string[]) {
      const { code, out, err } = await loadpath(...words, '--json')
      if (code !== 0) throw new Error(`loadpath ${words.join(' ')} ended with ${code}: ${err}${out}`)
      return JSON.parse(out)
    },
  }
}

/** A process looks every five seconds whether it may run. */
export const untilPauseIsSeen = () => sleep(6000)

/** kill -9 of the processes that the endpoint has started for functions; answers how many there were. */
export function killFunctions(endpoint: string, name = ''): number {
  const server = Number(/\d+/.exec(holderOf(Number(new URL(endpoint).port)))?.[0])
  const table = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
  const functions = [...table.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)].filter(
    ([, , parent, command]) =>
      Number(parent) === server && command?.includes('node') && command.includes(name),
  )
  return functions.filter(([, pid]) => signal(Number(pid), 'SIGKILL')).length
}

/** The queue of a subscriber in the hands of somebody who can do more to it than is good. */
export function queueOf({ config }: Stage, subscriber: string) {
  const sqs = new SQSClient({ useQueueUrlAsEndpoint: false })
  const lambda = new LambdaClient()
  const end = orderedIn(routes)(subscriber) ? '.fifo' : ''
  const queue = { QueueUrl: `${config.queuePrefix}${subscriber}${end}` }
  const letters = { QueueUrl: `${config.queuePrefix}dead-letters${end}` }

  async function mapping() {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ ...queue, AttributeNames: ['QueueArn'] }),
    )
    const { EventSourceMappings = [] } = await lambda.send(
      new ListEventSourceMappingsCommand({ EventSourceArn: Attributes?.QueueArn }),
    )
    const [only] = EventSourceMappings
    if (only === undefined) throw new Error(`the queue of ${subscriber} feeds no function`)
    return only
  }

  /** Takes the messages of these events off the queue, once all of them lie there; the others stay. */
  async function take(ids: readonly string[]): Promise<Message[]> {
    const seen = new Map<string, Message>()
    await eventually(async () => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          ...queue,
          MaxNumberOfMessages: 10,
          WaitTimeSeconds: 0,
          MessageAttributeNames: ['All'],
        }),
      )
      for (const message of Messages) seen.set(JSON.parse(message.Body ?? '').event.id, message)
      const missing = ids.filter((id) => !seen.has(id))
      if (missing.length > 0) throw new Error(`not on the queue of ${subscriber}: ${missing.join(', ')}`)
    })
    for (const [id, { ReceiptHandle }] of seen)
      if (ids.includes(id)) await sqs.send(new DeleteMessageCommand({ ...queue, ReceiptHandle }))
      else
        await sqs.send(new ChangeMessageVisibilityCommand({ ...queue, ReceiptHandle, VisibilityTimeout: 0 }))
    return ids.flatMap((id) => seen.get(id) ?? [])
  }

  return {
    /** With its mapping off nothing takes anything from it. */
    async turn(to: 'on' | 'off'): Promise<void> {
      const { UUID } = await mapping()
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: to === 'on' }))
      await eventually(async () => {
        const { State } = await mapping()
        if (State !== (to === 'on' ? 'Enabled' : 'Disabled')) throw new Error(`the mapping is ${State}`)
      })
    },
    take,
    /** Has SQS's word for it: each attempt to handle these has crashed. */
    async crash(ids: readonly string[]): Promise<void> {
      for (const { Body, MessageAttributes } of await take(ids))
        await sqs.send(
          new SendMessageCommand({
            ...letters,
            MessageBody: Body,
            MessageAttributes,
            ...(end && { MessageGroupId: randomUUID(), MessageDeduplicationId: randomUUID() }),
          }),
        )
    },
    purge: () => sqs.send(new PurgeQueueCommand(queue)),
  }
}

/** A subscription of one's own to the notifications: what comes out is counted outside, by idempotency key. */
export async function subscription({ aws, config }: Stage) {
  const [sqs, sns] = [new SQSClient({ useQueueUrlAsEndpoint: false }), new SNSClient()]
  const QueueUrl = await createQueue(aws)
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  )
  const subscribed = await sns.send(
    new SubscribeCommand({
      TopicArn: config.notificationTopic,
      Protocol: 'sqs',
      Endpoint: Attributes?.QueueArn,
      ReturnSubscriptionArn: true,
    }),
  )
  const all: string[] = []
  let looking: Promise<unknown> = Promise.resolve()
  // one after the other: what somebody else has just taken from the queue is in `all` only when they are through
  const received = async (): Promise<readonly string[]> => {
    const look = looking.then(async () => {
      for (const { body } of await drain(aws, QueueUrl))
        all.push(JSON.parse(body).MessageAttributes.idempotencykey.Value)
      return all
    })
    looking = look.catch(() => undefined)
    return look
  }
  /** How often each of these keys has come so far. */
  const times = async (keys: readonly string[]): Promise<number[]> => {
    const found = await received()
    return keys.map((key) => found.filter((one) => one === key).length)
  }
  return {
    times,
    /**
     * Waits until each of these has come, and then whether one comes again. Answers the milliseconds from the first to
     * the last.
     */
    async once(keys: readonly string[], seconds?: number): Promise<number> {
      let first: number | undefined
      const look = async () => {
        const found = await times(keys)
        if (first === undefined && found.some((n) => n > 0)) first = Date.now()
        if (found.some((n) => n !== 1)) throw new Error(`expected each once, got ${found.join()}`)
        return Date.now()
      }
      const last = await eventually(look, seconds)
      await sleep(1000)
      await look()
      return last - (first ?? last)
    },
    end: () => sns.send(new UnsubscribeCommand({ SubscriptionArn: subscribed.SubscriptionArn })),
  }
}
