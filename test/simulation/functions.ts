import type { Context, SQSEvent } from 'aws-lambda'
import { handleBatch } from '../../adapters/lambda/consume.ts'
import { deadLetterQueue } from '../../adapters/lambda/dead-letter.ts'
import { recordQueue } from '../../adapters/lambda/record.ts'
import { relayStream } from '../../adapters/lambda/relay.ts'
import { sweepAll } from '../../adapters/lambda/sweep.ts'
import { task } from '../../adapters/lambda/task.ts'
import { approvalTask, askForApproval } from '../../core/domain/ask-for-approval.ts'
import { Failure } from '../../core/errors.ts'
import type { Principal } from '../../core/gate/access.ts'
import { ingest } from '../../core/gate/ingest.ts'
import { isQuiet } from '../../core/hold/circuit-commit.ts'
import { subscriberControls } from '../../core/hold/subscriber-controls.ts'
import { batchInput } from '../../core/job/job-batch.ts'
import { redriveBatch } from '../../core/mend/redrive.ts'
import { replayBatch } from '../../core/replay/replay-batch.ts'
import type { RecordedEvent } from '../../events/envelope.ts'
import type { Route } from '../../events/route.ts'
import type { Calls, Process } from './calls.ts'
import type { Behaviour } from './cast.ts'
import { isGarbage, secret } from './doors.ts'
import type { InHand } from './handled.ts'
import { handlerOf } from './handlers.ts'
import type { SimulatedFunction } from './lambda.ts'
import { callOfNewerCode, withoutOldVersions } from './newer-code.ts'
import { deliveryText, type Observed } from './observed.ts'
import type { Bug } from './planting.ts'
import type { Ports } from './ports.ts'

type Call = { event: SQSEvent; context: Context }

/** Every function of a stage: the product's own wrappers and rules, on the ports of one environment. */
export function functionsOf({
  portsOf,
  isNewer,
  retires,
  behaviourOf,
  calls,
  observed,
  now,
  bug,
  projects,
}: {
  portsOf: (process: Process) => Ports
  /** whether it is an environment of newer code */
  isNewer: (process: Process) => boolean
  /** whether it reads an old version no more */
  retires: (process: Process) => boolean
  behaviourOf: (subscriber: string, event: RecordedEvent) => Behaviour | undefined
  calls: Calls
  observed: Observed
  now: () => number
  bug: Bug | undefined
  /** that accounts put events into */
  projects: readonly string[]
}) {
  const fn = (kind: string, timeout: number, compose: (process: Process) => unknown): SimulatedFunction => ({
    kind,
    timeout,
    compose: (process) => {
      const made = compose(process) as ReturnType<SimulatedFunction['compose']>
      const own = bug?.entry?.(made, process) ?? made
      return isNewer(process) ? (event, context) => own(callOfNewerCode(event), context) : own
    },
  })

  const sweepDoors = { accounts: projects, webhooks: async () => [] }

  function consumer(route: Route): SimulatedFunction {
    return fn(`consume ${route.subscriber}`, route.timeout, (process) => {
      const ports = portsOf(process)
      const { memory, ...rest } = ports
      let inHand: ReadonlyMap<string, InHand> = new Map()
      const handler = handlerOf(route, {
        process,
        calls,
        ports: { ...ports, plainMemory: memory },
        observed,
        now,
        inHand: () => inHand,
        behaviourOf,
      })
      const own = bug?.handler?.(handler, route, ports) ?? handler
      const controls =
        route.unpausable === undefined
          ? subscriberControls({ ...ports, subscriber: route.subscriber, quiet: isQuiet(route) })
          : undefined
      const deps = { ...rest, controls, ...(route.effect === 'state' ? { memory } : {}) }
      return (event: Call['event'], context: Call['context']) => {
        inHand = inHandOf(route, event, now())
        for (const [delivery, { messages }] of inHand)
          observed.messages.set(delivery, new Set([...(observed.messages.get(delivery) ?? []), ...messages]))
        const read = retires(process) ? withoutOldVersions(event, observed) : event
        return handleBatch(route, own, deps, read, context)
      }
    })
  }

  return {
    record: fn('record', 10, (process) => recordQueue(portsOf(process))),
    relay: fn('relay', 30, (process) => relayStream(portsOf(process))),
    letters: fn('dead-letter', 30, (process) => deadLetterQueue(portsOf(process))),
    sweep: fn('sweep', 55, (process) => sweepAll({ ...portsOf(process), doors: sweepDoors })),
    sweepDoors,
    ingest: fn('ingest', 10, (process) => {
      const deps = { ...portsOf(process), authenticate, webhookSecrets: async () => [secret] }
      return (request: Parameters<typeof ingest>[0]) => ingest(request, deps)
    }),
    /** is called with what somebody asks of it; `of` tells its parts apart */
    api: (of?: string) =>
      fn(of === undefined ? 'api' : `api ${of}`, 29, (process) => {
        const deps = portsOf(process)
        return async (command: (given: Ports) => Promise<unknown>) => command(deps)
      }),
    asks: fn('request-approval', 30, (process) => {
      const deps = portsOf(process)
      return task('request-approval', approvalTask, (asked) => askForApproval(asked, deps))
    }),
    /** What the workflows of jobs call again and again. */
    batches: {
      redrive: fn('redrive-batch', 60, (process) => {
        const deps = portsOf(process)
        return task('redrive-batch', batchInput, (input) => redriveBatch(input, deps, 5))
      }),
      replay: fn('replay-batch', 60, (process) => {
        const deps = portsOf(process)
        return task('replay-batch', batchInput, (input) => replayBatch(input, deps, 30))
      }),
    } as Readonly<Record<string, SimulatedFunction>>,
    consumer,
  }
}

const authenticate = async (credential = ''): Promise<Principal> => {
  if (credential !== 'main' && credential !== 'shop') throw new Failure('Unauthenticated', 'send a key')
  return { actor: 'user:k1', project: credential, scopes: ['events:write'] }
}

/** Which messages of a batch carry which delivery. */
function inHandOf(route: Route, { Records }: SQSEvent, since: number): Map<string, InHand> {
  const found = new Map<string, InHand>()
  for (const { messageId, body, attributes } of Records) {
    if (isGarbage(body)) continue
    const {
      event,
      replay,
      attempt = 1,
    } = JSON.parse(body) as { event: RecordedEvent; replay: string; attempt?: number }
    const { project, source, id } = event
    const text = deliveryText({ project, source, id, subscriber: route.subscriber, replay })
    const receives = Number(attributes.ApproximateReceiveCount)
    const known = found.get(text)
    if (known !== undefined) known.messages.push(messageId)
    else found.set(text, { messages: [messageId], receives, attempt, since })
  }
  return found
}
