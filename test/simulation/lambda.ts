import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { reasonOf } from '../../core/errors.ts'
import type { Calls, Process } from './calls.ts'
import type { Generation } from './cast.ts'
import type { Chance } from './chance.ts'
import { isNobodysFault } from './mended.ts'
import type { Observed } from './observed.ts'
import type { Options, OtherFault } from './options.ts'
import type { SimulatedMessage, SimulatedQueues } from './queues.ts'
import { type Scheduler, still } from './scheduler.ts'

type Handler = (event: never, context: Context) => Promise<unknown>

/** A function: `compose` runs once in each environment, as at a cold start. */
export type SimulatedFunction = {
  kind: string
  /** seconds it may take */
  timeout: number
  compose: (process: Process) => Handler
}

export type End = { value: unknown } | { error: unknown } | { crashed: string }

export type Lambda = ReturnType<typeof lambda>

/** Functions in their environments, and what hands batches of queues over to them. */
export function lambda({
  time,
  chance,
  options,
  observed,
  calls,
  queues,
  rate,
  isOut,
  generations,
  isCalm,
}: {
  time: Scheduler
  chance: Chance
  options: Options
  observed: Observed
  calls: Calls
  queues: SimulatedQueues
  /** of a fault now */
  rate: (fault: OtherFault) => number
  /** whether queues answer nothing but errors to what Lambda does by itself */
  isOut: (doing: 'receive' | 'delete', queue: string) => boolean
  /** versions of the code that may be called now */
  generations: () => readonly [Generation, ...Generation[]]
  /** nothing goes wrong any more */
  isCalm: () => boolean
}) {
  type Environment = { process: Process; handler: Handler }
  const idle = new Map<string, Environment[]>()
  let made = 0
  const active = new Map<object, string>()

  function newProcess(kind: string): Process {
    const skew = Math.round(chance.between(-options.skew, options.skew))
    return {
      id: made++,
      kind,
      alive: true,
      skew,
      generation: chance.pick(generations()),
      died: () => undefined,
    }
  }

  /** One that waits, mostly; of a version that is not called any more nothing is left. */
  function environmentOf({ kind, compose }: SimulatedFunction): Environment {
    const waiting = (idle.get(kind) ?? []).filter(
      ({ process }) => process.alive && generations().includes(process.generation),
    )
    const taken = chance.is(0.9) ? waiting.pop() : undefined
    idle.set(kind, waiting)
    if (taken !== undefined) return taken
    const process = newProcess(kind)
    return { process, handler: compose(process) }
  }

  function invoke(fn: SimulatedFunction, event: unknown, ended: (end: End) => void): void {
    const environment = environmentOf(fn)
    const { process, handler } = environment
    let open = true
    const token = {}
    active.set(token, fn.kind)
    const finish = (end: End): void => {
      if (!open) return
      open = false
      active.delete(token)
      if (process.alive) idle.get(fn.kind)?.push(environment)
      ended(end)
    }
    process.died = (why) => finish({ crashed: why })
    const end = time.now() + fn.timeout * 1000
    const calm = isCalm()
    const context = {
      functionName: fn.kind,
      functionVersion: '$LATEST',
      awsRequestId: `${process.id}`,
      getRemainingTimeInMillis: () => end - time.now(),
    }
    time.after(chance.between(0, options.latency), `${fn.kind} begins`, () => {
      if (process.alive)
        handler(event as never, context as Context).then(
          (value) => finish({ value }),
          (error: unknown) => {
            if (calm && !fn.kind.startsWith('api') && !isNobodysFault(error))
              observed.violated({
                invariant: 'nothing fails while nothing is wrong',
                message: `${fn.kind} failed: ${reasonOf(error)}`,
              })
            finish({ error })
          },
        )
    })
    time.after(fn.timeout * 1000, `${fn.kind} has had its time`, () => {
      if (!open) return still
      observed.sometimes('a function runs out of time')
      calls.kill(process, 'runs out of time')
    })
  }

  const polls = new Map<string, { at: number; token: object }>()
  const mappings = new Map<
    string,
    { batch: number; concurrency: number; running: number; fn: SimulatedFunction; stands?: boolean }
  >()

  /** Looks at a queue as soon as something may be received from it. */
  function wake(queue: string): void {
    const mapping = mappings.get(queue)
    const next = mapping && queues.nextAt(queue)
    if (mapping === undefined || next === undefined || mapping.running >= mapping.concurrency) return
    if (mapping.stands) return
    const at = Math.max(next, time.now())
    const planned = polls.get(queue)
    if (planned !== undefined && planned.at <= at) return
    const token = {}
    polls.set(queue, { at, token })
    time.after(at - time.now() + chance.between(0, 2 * options.latency), `poll ${queue}`, () => {
      if (polls.get(queue)?.token !== token) return
      polls.delete(queue)
      poll(queue)
    })
  }

  function poll(queue: string): void {
    const mapping = mappings.get(queue)
    if (mapping === undefined || mapping.stands) return
    if (isOut('receive', queue)) {
      time.after(chance.between(1000, 20_000), `poll ${queue} again`, () => wake(queue))
      return
    }
    const received = queues.receive(queue, chance.whole(1, mapping.batch))
    if (received.length === 0) {
      wake(queue)
      return
    }
    if (chance.is(rate('throttled'))) {
      wake(queue)
      return
    }
    if (received.some(({ id }) => inHand.has(id))) observed.sometimes('one message is handled twice at once')
    for (const { id, receives } of received) {
      inHand.set(id, (inHand.get(id) ?? 0) + 1)
      observed.received.set(id, receives)
    }
    mapping.running++
    observed.step(
      '',
      () => `${mapping.fn.kind} gets ${received.map(({ id, receives }) => `${id}/${receives}`)}`,
    )
    invoke(mapping.fn, eventOf(queue, received), (end) => {
      mapping.running--
      for (const { id } of received) {
        const left = (inHand.get(id) ?? 1) - 1
        if (left > 0) inHand.set(id, left)
        else inHand.delete(id)
      }
      settle(queue, received, end)
      wake(queue)
    })
    wake(queue)
  }
  const inHand = new Map<string, number>()

  /** Deletes what was handled; the rest comes again when its visibility timeout has passed. */
  function settle(queue: string, received: readonly SimulatedMessage[], end: End): void {
    if (!('value' in end)) return
    const { batchItemFailures } = end.value as SQSBatchResponse
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
    if (failed.size > 0 && failed.size < received.length) observed.sometimes('a part of a batch fails')
    const undeletable = failed.size < received.length && isOut('delete', queue)
    for (const message of received) {
      if (failed.has(message.id)) continue
      // where somebody else has it in hand just now, that one has the last word
      if (!inHand.has(message.id) && !observed.answered.has(message.id))
        observed.answered.set(message.id, time.now())
      if (undeletable || chance.is(rate('undeleted'))) observed.sometimes('a handled message is not deleted')
      else queues.remove(queue, message, message.receipt)
    }
  }

  return {
    invoke,
    wake,
    newProcess,
    /** Hands what lies on a queue over to a function, in batches. */
    feed(
      queue: string,
      fn: SimulatedFunction,
      { batch, concurrency }: { batch: number; concurrency: number },
    ) {
      mappings.set(queue, { batch, concurrency, running: 0, fn })
    },
    /** Nobody comes for a queue any more. */
    unfeed: (queue: string) => void mappings.delete(queue),
    /** Nobody comes for a queue until it is said again. */
    stand(queue: string, stands: boolean): void {
      const mapping = mappings.get(queue)
      if (mapping === undefined) return
      mapping.stands = stands
      wake(queue)
    },
    standing: () => [...mappings].flatMap(([queue, { stands }]) => (stands ? [queue] : [])),
    running: () => [...active.values()],
    hide: async (queue: string, { messageId, receiptHandle }: SQSRecord, seconds: number) => {
      queues.hide(queue, messageId, Number(receiptHandle), seconds * 1000)
      wake(queue)
    },
  }
}

/** What Lambda hands over of a queue. */
const eventOf = (queue: string, messages: readonly SimulatedMessage[]): SQSEvent => ({
  Records: messages.map(({ id, receipt, body, receives, sent, group, attributes }) => ({
    messageId: id,
    receiptHandle: String(receipt),
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: String(sent),
      SenderId: 'simulated',
      ApproximateFirstReceiveTimestamp: String(sent),
      ...(group === undefined ? {} : { MessageGroupId: group }),
    },
    messageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, stringValue]) => [name, { stringValue, dataType: 'String' }]),
    ),
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:us-east-1:111122223333:loadpath-test-${queue}`,
    awsRegion: 'us-east-1',
  })),
})
