import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { consume as consumeBatch } from '../../core/consume/consume.ts'
import type { ConsumeDeps, Consumed } from '../../core/consume/task.ts'
import type { HandlerAny, HandlerOf } from '../../core/event/handler.ts'
import type { Route } from '../../events/route.ts'
import { environment } from '../environment.ts'
import { type Hide, hide } from './hide.ts'
import { consumePorts } from './ports.ts'
import { tell } from './telemetry.ts'

type SqsHandler = (event: SQSEvent, context: Context) => Promise<SQSBatchResponse>

/**
 * A Lambda function that handles a route's queue. `compose` runs once, at cold start: it reads the environment, opens
 * what the handler needs, and answers the handler.
 */
export function consume<R extends Route>(route: R, compose: () => HandlerOf<R>): SqsHandler {
  // the route's types are let go of here: consume hands over what the schemas of these very types have parsed
  const handler: HandlerAny = compose() as never
  const ports = { ...consumePorts(route), hide }
  return (event: SQSEvent, context: Context) => handleBatch(route, handler, ports, event, context)
}

/**
 * One batch of one route's queue. What must be seen again stays on the queue, for as long as its backoff says; what is
 * held behind it in its lane for just as long, or the queue's own time would part them.
 */
export async function handleBatch(
  route: Route,
  handler: HandlerAny,
  ports: ConsumeDeps & { hide: Hide },
  { Records }: SQSEvent,
  context: Context,
): Promise<SQSBatchResponse> {
  const began = Date.now()
  const { STAGE } = environment(['STAGE'])
  const consumed = await consumeBatch(
    route,
    handler,
    Records.map(({ body, attributes }) => ({
      body,
      receiveCount: Number(attributes.ApproximateReceiveCount),
    })),
    { ...ports, remaining: () => context.getRemainingTimeInMillis() },
  )
  const again = Records.flatMap((message, index) => {
    const seconds = consumed[index]?.again
    return seconds === undefined ? [] : [{ message, seconds }]
  })
  await Promise.all(again.map(({ message, seconds }) => ports.hide(route.subscriber, message, seconds)))
  const count = (...outcomes: Consumed['outcome'][]) =>
    consumed.filter(({ outcome }) => outcomes.includes(outcome)).length
  const contended = consumed.filter((one) => one.contended).length
  const failures = consumed.filter(({ reason }) => reason !== undefined)
  tell(
    {
      function: context.functionName,
      dimensions: { subscriber: route.subscriber },
      metrics: {
        Handled: count('done'),
        Already: count('already'),
        Failed: count('retrying', 'unreadable') - contended,
        Dead: count('dead'),
        ...unlessNone({ Parked: count('parked'), Held: count('held'), Contended: contended }),
        DurationMs: Date.now() - began,
      },
      level: failures.length === 0 ? 'INFO' : 'WARN',
      detail: failures.length === 0 ? {} : { failures: failures.map(shown) },
    },
    { awsRequestId: context.awsRequestId, stage: STAGE, now: began },
  )
  return { batchItemFailures: again.map(({ message }) => ({ itemIdentifier: message.messageId })) }
}

/** Each metric costs money in every hour that knows it, and these are none of a subscriber's day. */
const unlessNone = (counts: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))

const shown = ({ outcome, key, reason, again }: Consumed) => ({
  outcome,
  project: key?.project,
  source: key?.source,
  id: key?.id,
  reason,
  again,
})
