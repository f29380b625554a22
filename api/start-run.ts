import type * as z from 'zod'
import { fateOf, findIdentity } from '../core/books/fate.ts'
import { Failure, reasonOf } from '../core/errors.ts'
import type { DeliveryFrame, httpFrame } from '../core/frame.ts'
import type { Principal } from '../core/gate/access.ts'
import { controlOf, controlRecord, heldBack } from '../core/hold/control.ts'
import { contentDigest, runName, uuid5 } from '../core/identity.ts'
import { isJobWorkflow, type JobWorkflow } from '../core/job/job.ts'
import type { Queues } from '../core/ports.ts'
import { eventTypeNamed } from '../events/catalogue.ts'
import type { Identity } from '../events/envelope.ts'
import type { EventType } from '../events/event-type.ts'
import { type Route, subscribersOf, typeName } from '../events/route.ts'
import { routes } from '../events/routes.ts'
import type { ApiDeps } from './context.ts'
import { invalid } from './problems.ts'

/** Requests that the API makes for somebody; sources under /loadpath/ are those of events of ours. */
const source = 'urn:loadpath:api'

export type Started = { workflow: string; run: string; event: { source: string; id: string; type: string } }

/** `once`: the sender's idempotency key; the same key and workflow is the same run. */
type Request = { workflow: string; once: string | undefined; principal: Principal }

/** What asks for a job. */
const asksFor: Readonly<Record<JobWorkflow, string>> = {
  redrive: 'loadpath dead redrive',
  replay: 'loadpath replay',
}

/**
 * Of a workflow that does jobs no run is started, stopped or tried again by itself: a job is, by who may.
 * `how`: the command for that.
 * @throws Failure Conflict
 */
export function refuseJobs(workflow: string, how?: string): void {
  if (isJobWorkflow(workflow))
    throw new Failure(
      'Conflict',
      how === undefined
        ? `a run of ${workflow} does a job: ask for one with \`${asksFor[workflow]}\``
        : `a run of ${workflow} does a job: \`${how}\`, and \`loadpath jobs list\` says which`,
    )
}

/** @throws Failure NotFound */
export function workflowRoute(workflow: string): Route {
  const found = routes.find(({ subscriber, kind }) => subscriber === workflow && kind === 'workflow')
  if (found === undefined) {
    const names = routes.flatMap(({ subscriber, kind }) => (kind === 'workflow' ? [subscriber] : []))
    throw new Failure('NotFound', `no workflow ${workflow}: there is ${names.join(', ')}`)
  }
  return found
}

/**
 * Starts a run by the event that asks for one: made of `data`, checked here, and recorded like any other.
 * @throws Failure NotFound, Invalid (no such request type, or the data does not fit it), Conflict, Unavailable
 */
export async function startWithData(deps: ApiDeps, request: Request, data: unknown): Promise<Started> {
  const { workflow, principal } = request
  refuseJobs(workflow)
  const eventType = requestType(workflowRoute(workflow))
  const parsed = eventType.schema.safeParse(data)
  if (!parsed.success) throw invalid(parsed.error, data, 'data')
  if (!subscribersOf(routes, eventType.type, parsed.data).includes(workflow))
    throw new Failure('Invalid', `${workflow} does not take a ${eventType.type} with this data`)
  const id = freshId(deps, request)
  if (request.once !== undefined) await refuseOther(deps, request, { id, type: eventType.type, data })
  const frame: z.infer<typeof httpFrame> = {
    door: 'http',
    project: principal.project,
    actor: principal.actor,
    received: deps.now(),
    event: { specversion: '1.0', id, source, type: eventType.type, data },
  }
  await sendOne(deps.queues, 'record', frame)
  const run = runName({ project: principal.project, source, id }, workflow, '', 1)
  return { workflow, run, event: { source, id, type: eventType.type } }
}

/**
 * The same key with the same data is the same run; with other data it would be answered as if it were.
 * @throws Failure Conflict
 */
async function refuseOther(
  deps: ApiDeps,
  { once, principal: { project } }: Request,
  asked: { id: string; type: string; data: unknown },
): Promise<void> {
  const [before] = await deps.history.getEvents([{ project, source, id: asked.id }])
  if (before !== undefined && before.content !== contentDigest(asked))
    throw new Failure('Conflict', `the idempotency key ${once} was used for another request: use a new one`)
}

/** The type by which people ask for a run: the one of the workflow's that is named `<noun>.<verb>-requested`. */
function requestType({ subscriber, types }: Route): EventType {
  const name = types.map(typeName).find((type) => /\.[a-z]+-requested$/.test(type))
  const eventType = name === undefined ? undefined : eventTypeNamed(name)
  if (eventType === undefined)
    throw new Failure('Invalid', `${subscriber} has no request type: start it with \`event\``)
  return eventType
}

/**
 * Starts a run for an event that is recorded already, as a delivery of its own (a replay).
 * @throws Failure NotFound, Conflict (several sources sent this id), Invalid (not of a type it takes), Unavailable
 */
export async function startWithEvent(
  deps: ApiDeps,
  request: Request,
  named: { id: string; source?: string | undefined },
): Promise<Started> {
  const { workflow, principal } = request
  refuseJobs(workflow)
  const route = workflowRoute(workflow)
  const identity = await findIdentity(deps, principal.project, named.id, named.source)
  const { event } = (await fateOf(deps, identity)).stored
  const types = route.types.map(typeName)
  if (!types.includes(event.type))
    throw new Failure('Invalid', `${workflow} does not take ${event.type}`, {
      faults: [{ path: 'event', expected: `an event of ${types.join(', ')}`, got: event.type }],
    })
  const replay = freshId(deps, request)
  await sendOne(deps.queues, workflow, { event, replay } satisfies DeliveryFrame)
  const run = runName(identity, workflow, replay, 1)
  return { workflow, run, event: { source: identity.source, id: identity.id, type: event.type } }
}

/**
 * Sends a recorded event to its workflow once more, as a further attempt.
 * @throws Failure NotFound, Unavailable, Conflict (the workflow is held back: its delivery is done since the first
 * attempt, so there is nothing that could be parked and sent when it runs again)
 */
export async function startAgain(
  deps: ApiDeps,
  workflow: string,
  identity: Identity,
  further: { replay: string; attempt: number },
): Promise<string> {
  const { event } = (await fateOf(deps, identity)).stored
  const { unpausable, downstream } = workflowRoute(workflow)
  if (unpausable === undefined) {
    const control = controlOf(await deps.memory.get(controlRecord(identity.project, workflow)))
    const held = heldBack(control, downstream?.(event) ?? '')
    if (held !== undefined)
      throw new Failure('Conflict', `${workflow} is held back (${held}): retry when it runs again`)
  }
  await sendOne(deps.queues, workflow, { event, ...further } satisfies DeliveryFrame)
  return runName(identity, workflow, further.replay, further.attempt)
}

const freshId = (deps: ApiDeps, { workflow, once, principal }: Request): string =>
  once === undefined ? deps.newId() : uuid5([principal.project, workflow, once].join('\n'))

async function sendOne(queues: Queues, queue: string, message: unknown): Promise<void> {
  const [failure] = await queues.send(queue, [JSON.stringify(message)])
  if (failure !== undefined)
    throw new Failure('Unavailable', `the queue ${queue} did not take it: ${reasonOf(failure.error)}`, {
      cause: failure.error,
    })
}
