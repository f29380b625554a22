import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConsumeDeps } from '../../core/consume/task.ts'
import { reasonForLogs } from '../../core/errors.ts'
import { authenticate, type Principal } from '../../core/gate/access.ts'
import type { IngestDeps } from '../../core/gate/ingest.ts'
import type { RecordDeps } from '../../core/gate/record.ts'
import { isQuiet } from '../../core/hold/circuit-commit.ts'
import type { Controls } from '../../core/hold/control.ts'
import { subscriberControls } from '../../core/hold/subscriber-controls.ts'
import type { Lanes } from '../../core/lane/lane.ts'
import type {
  Bodies,
  Clock,
  Ephemeral,
  History,
  Memory,
  Queues,
  Stacks,
  Workflows,
} from '../../core/ports.ts'
import type { SweepDeps } from '../../core/sweep/sweep.ts'
import { eventTypeNamed } from '../../events/catalogue.ts'
import { projectName } from '../../events/envelope.ts'
import { orderedIn, type Route } from '../../events/route.ts'
import { routes } from '../../events/routes.ts'
import { s3Bodies } from '../aws/bodies.ts'
import { connect, forFunctions } from '../aws/clients.ts'
import { dynamoEphemeral } from '../aws/ephemeral.ts'
import { dynamoHistory } from '../aws/history.ts'
import { dynamoLanes } from '../aws/lanes.ts'
import { dynamoMemory } from '../aws/memory.ts'
import { type QueueOptions, sqsQueues } from '../aws/queues.ts'
import { type SecretReader, secretReader, webhookSecretsIn } from '../aws/secrets.ts'
import { cloudFormation } from '../aws/stacks.ts'
import { stepFunctions } from '../aws/workflows.ts'
import { environment } from '../environment.ts'

/**
 * The composition root of the functions: each kind of entry asks for the ports it needs, once, at cold start. What a
 * function's environment lacks is named then and not at the first event.
 */
export const clock: Clock = () => new Date().toISOString()

/** A name that nothing else has: 20 hex digits. */
export const newId = (): string => randomBytes(10).toString('hex')

/** One set of connections per process. */
export const aws = connect(forFunctions)

const retentionOf = (type: string) => eventTypeNamed(type)?.retention ?? 'project'

function historyOptions() {
  const { HISTORY_TABLE } = environment(['HISTORY_TABLE'])
  return { table: HISTORY_TABLE, retentionOf, bodies: bodiesPort() }
}

export const historyPort = (by = aws): History => dynamoHistory({ aws: by, clock, ...historyOptions() })

/** By other connections where the function has more time than most. */
export function bodiesPort(by = aws): Bodies {
  const { BUCKET } = environment(['BUCKET'])
  return s3Bodies({ aws: by, bucket: BUCKET })
}

export const stacksPort = (by = aws): Stacks => cloudFormation({ aws: by })

/** Memory without deliveries: what it commits carries no mark. */
export function plainMemoryPort(by = aws): Memory {
  const { MEMORY_TABLE } = environment(['MEMORY_TABLE'])
  return dynamoMemory({ aws: by, table: MEMORY_TABLE, clock })
}

export function workflowsPort(): Workflows {
  const { STATE_MACHINE_PREFIX } = environment(['STATE_MACHINE_PREFIX'])
  return stepFunctions({ aws, prefix: STATE_MACHINE_PREFIX })
}

export function memoryPort(): Memory {
  const { MEMORY_TABLE } = environment(['MEMORY_TABLE'])
  return dynamoMemory({ aws, table: MEMORY_TABLE, clock, history: historyOptions() })
}

/** Where the queues are, and which of them keep order. */
export function queueOptions(): QueueOptions {
  const { QUEUE_PREFIX } = environment(['QUEUE_PREFIX'])
  return { aws, prefix: QUEUE_PREFIX, ordered: orderedIn(routes) }
}

export const queuesPort = (): Queues => sqsQueues(queueOptions())

/** The lanes of ordered routes lie in the table of history. */
export const lanesPort = (): Lanes => dynamoLanes({ aws, clock, ...historyOptions() })

export function ephemeralPort(): Ephemeral {
  const { EPHEMERAL_TABLE } = environment(['EPHEMERAL_TABLE'])
  return dynamoEphemeral({ aws, table: EPHEMERAL_TABLE, clock })
}

export function recordPorts(): RecordDeps {
  return {
    history: historyPort(),
    queues: queuesPort(),
    bodies: bodiesPort(),
    clock,
    random: Math.random,
    routes,
  }
}

const controlsBySubscriber = new Map<string, Controls>()

/** One set for each subscriber that this process serves: what it has read and counted stays. Unpausable ones have none. */
function controlsOf(route: Route): Controls | undefined {
  const { subscriber } = route
  if (route.unpausable !== undefined) return undefined
  const kept = controlsBySubscriber.get(subscriber)
  if (kept !== undefined) return kept
  const controls = subscriberControls({
    memory: plainMemoryPort(),
    ephemeral: ephemeralPort(),
    clock,
    newId,
    subscriber,
    quiet: isQuiet(route),
    onFailure: (error) => {
      const reason = reasonForLogs(error)
      console.warn(
        JSON.stringify({ level: 'WARN', message: 'control not read or counted', subscriber, reason }),
      )
    },
  })
  controlsBySubscriber.set(subscriber, controls)
  return controls
}

export const consumePorts = (route: Route): ConsumeDeps => ({
  ...recordPorts(),
  memory: route.effect === 'state' ? memoryPort() : undefined,
  lanes: route.ordered ? lanesPort() : undefined,
  controls: controlsOf(route),
  pause: (milliseconds) => sleep(milliseconds),
})

export const sweepPorts = (): SweepDeps => ({
  ...recordPorts(),
  memory: memoryPort(),
  lanes: lanesPort(),
  workflows: workflowsPort(),
})

export function ingestPorts(): IngestDeps {
  const memory = plainMemoryPort()
  return {
    ...recordPorts(),
    ephemeral: ephemeralPort(),
    authenticate: remembered((credential) => authenticate(memory, credential, clock())),
    webhookSecrets: webhookSecrets(),
    pause: (milliseconds) => sleep(milliseconds),
  }
}

const secondsRemembered = 10

/** A key is looked up once in ten seconds, so a revoked one works for at most that long. Refusals are not remembered. */
function remembered(
  look: (credential: string | undefined) => Promise<Principal>,
): (credential: string | undefined) => Promise<Principal> {
  const known = new Map<string, { principal: Promise<Principal>; until: number }>()
  return (credential) => {
    if (credential === undefined) return look(credential)
    const now = Date.now()
    const kept = known.get(credential)
    if (kept !== undefined && now < kept.until) return kept.principal
    if (known.size > 1000) known.clear()
    const principal = look(credential)
    known.set(credential, { principal, until: now + secondsRemembered * 1000 })
    principal.catch(() => known.delete(credential))
    return principal
  }
}

/** Wrong signatures must not become calls of Secrets Manager, one for each: it is asked anew at most this often. */
const secondsBetweenRefreshes = 5

function webhookSecretReader(seconds = 60): SecretReader {
  const { WEBHOOK_SECRET_ARN } = environment(['WEBHOOK_SECRET_ARN'])
  return secretReader({ aws, arn: WEBHOOK_SECRET_ARN, clock, seconds })
}

function webhookSecrets(): IngestDeps['webhookSecrets'] {
  const reader = webhookSecretReader()
  let refreshed = 0
  return async (source, project, fresh) => {
    const anew = fresh && Date.now() - refreshed > secondsBetweenRefreshes * 1000
    if (anew) refreshed = Date.now()
    const secrets = webhookSecretsIn(anew ? await reader.refresh() : await reader.get())
    return ['current', 'previous'].flatMap((age) => secrets[`${source}/${project}/${age}`] ?? [])
  }
}

let projectsReader: SecretReader | undefined

/**
 * Projects that have a webhook secret, as of at most ten minutes ago. What it needs is looked for when it is called: it
 * must not keep the rest of the sweep from its work.
 */
export async function webhookProjects(): Promise<string[]> {
  projectsReader ??= webhookSecretReader(600)
  const names = Object.keys(webhookSecretsIn(await projectsReader.get()))
  return names.flatMap((name) => projectName.safeParse(name.split('/')[1]).data ?? [])
}
