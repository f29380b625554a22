import { byteLength, limits, projectName } from '../../events/envelope.ts'
import { attempt } from '../attempt.ts'
import { Failure, failures, isOfNewerCode, isTerminal, problem, reasonOf } from '../errors.ts'
import type { Arrival } from '../event/arrival.ts'
import type { Frame } from '../frame.ts'
import type { Ephemeral } from '../ports.ts'
import { actingIn, credentialOf, type Principal, projectHeader, requireScope } from './access.ts'
import { type HttpRequest, readCloudEvents } from './cloudevents-http.ts'
import { githubEvent, isSigned } from './github-webhook.ts'
import { type Outcome, type RecordDeps, record } from './record.ts'
import { arrivalsOf, firstDelivery } from './webhook-copies.ts'

export type IngestDeps = RecordDeps & {
  ephemeral: Ephemeral
  /** @throws Failure Unauthenticated */
  authenticate: (credential: string | undefined) => Promise<Principal>
  /** Secrets of a webhook source in a project, current and previous; read anew when `fresh`. */
  webhookSecrets: (source: string, project: string, fresh: boolean) => Promise<readonly string[]>
  pause: (milliseconds: number) => Promise<void>
}

/** `outcomes` is what the door has to tell of it, failures of ours among them; no part of the answer. */
export type HttpAnswer = {
  status: number
  contentType: string
  headers?: Readonly<Record<string, string>>
  body: unknown
  outcomes: readonly Outcome[]
}

/** The doors that speak HTTP. Every answer is JSON; every refusal problem+json. Never throws. */
export async function ingest(request: HttpRequest, deps: IngestDeps): Promise<HttpAnswer> {
  try {
    const [, door, source, project, ...rest] = request.path.split('/')
    const known = (door === 'events' && source === undefined) || (door === 'webhooks' && source === 'github')
    if (!known || rest.length > 0)
      throw new Failure('NotFound', `nothing at ${request.path}: try /events or /webhooks/github`)
    return door === 'events' ? await ingestEvents(request, deps) : await ingestGithub(request, project, deps)
  } catch (error) {
    const failure =
      error instanceof Failure ? error : new Failure('Unavailable', 'something failed here; send it again')
    return {
      status: failures[failure.code].status,
      contentType: 'application/problem+json',
      ...(failure.code === 'Unauthenticated' ? { headers: { 'www-authenticate': 'Bearer' } } : {}),
      body: problem(failure),
      outcomes: isTerminal(error) ? [] : [unavailable(error)],
    }
  }
}

/** Faults in the answer to a batch, all its events together: it must fit into a response. */
const mostFaults = 1000

async function ingestEvents(request: HttpRequest, deps: IngestDeps): Promise<HttpAnswer> {
  const holder = await deps.authenticate(credentialOf(request.headers))
  requireScope(holder, 'events:write')
  const principal = actingIn(holder, request.headers[projectHeader])
  const { mode, events } = readCloudEvents(request)
  const received = deps.clock()
  const arrivals = events.map((event): Arrival => {
    const raw = textOf(event) ?? ''
    const { project, actor } = principal
    return {
      door: 'http',
      project,
      actor,
      received,
      raw,
      ifInvalid: 'answer',
      content: { kind: 'incoming', event },
    }
  })
  const sizes = arrivals.map(({ raw }) => byteLength(raw))
  const fitting = arrivals.filter((_, index) => (sizes[index] ?? 0) <= limits.event)
  const outcomes = await record(fitting, deps)
  const outcomeOf = new Map(fitting.map((arrival, index) => [arrival, outcomes[index]]))
  const faultsEach = Math.max(1, Math.floor(mostFaults / arrivals.length))
  const answers = await Promise.all(
    arrivals.map((arrival, index) => {
      const outcome = outcomeOf.get(arrival)
      return outcome === undefined
        ? failed(
            new Failure(
              'TooLarge',
              `an event is at most ${limits.event} bytes, this one has ${sizes[index]}`,
            ),
          )
        : answerFor(arrival, outcome, faultsEach, deps)
    }),
  )
  const first = answers[0]
  if (mode === 'single' && first !== undefined) {
    const { status, ...body } = first
    const isProblem = 'title' in body
    return {
      status,
      contentType: isProblem ? 'application/problem+json' : 'application/json',
      body: isProblem ? first : body,
      outcomes,
    }
  }
  const status = answers.every((answer) => answer.status === 202) ? 202 : 207
  return { status, contentType: 'application/json', body: answers, outcomes }
}

/** undefined: it nests deeper than JSON.stringify can follow. The gate refuses it, and it is not kept over http. */
function textOf(event: unknown): string | undefined {
  try {
    return JSON.stringify(event)
  } catch {
    return undefined
  }
}

type Answer = { status: number } & Record<string, unknown>

const failed = (failure: Failure): Answer => problem(failure)

/** What the sender of one event is told. What could not be recorded is kept on the record queue instead. */
async function answerFor(
  arrival: Arrival,
  outcome: Outcome,
  faultsShown: number,
  deps: IngestDeps,
): Promise<Answer> {
  switch (outcome.status) {
    case 'recorded':
    case 'known':
    case 'duplicate': {
      const { project, source, id, type, duplicateof } = outcome.event
      const status = outcome.status === 'duplicate' ? 200 : 202
      return { status, outcome: outcome.status, project, source, id, type, duplicateof }
    }
    case 'conflict': {
      const { source, id } = outcome.identity
      return failed(
        new Failure(
          'Conflict',
          `${source} ${id} is recorded with other content: an event never changes; use a new id`,
        ),
      )
    }
    case 'refused':
      return failed(
        new Failure(
          'Invalid',
          outcome.reason === 'forged' ? 'only Loadpath makes such events' : 'not a valid event',
          {
            faults: outcome.faults.slice(0, faultsShown),
          },
        ),
      )
    case 'quarantined': {
      const { reason, faults, digest } = outcome
      return { status: 202, outcome: 'quarantined', project: arrival.project, reason, faults, digest }
    }
    case 'unavailable':
      return keep(arrival, outcome.error, deps)
    default:
      return outcome satisfies never
  }
}

/** History cannot be written: the event waits on the record queue, and its sender is told so. */
async function keep(arrival: Arrival, error: unknown, deps: IngestDeps): Promise<Answer> {
  if (error instanceof Failure && isOfNewerCode(error)) return failed(error)
  const { project, actor, received, duplicateof, content } = arrival
  if (content.kind !== 'incoming') return failed(new Failure('Unavailable', reasonOf(error)))
  const frame: Frame = { door: 'http', project, actor, received, duplicateof, event: content.event }
  const failures = await deps.queues
    .send('record', [JSON.stringify(frame)])
    .catch((failure: unknown) => [failure])
  return failures.length === 0
    ? { status: 202, outcome: 'queued', project }
    : failed(new Failure('Unavailable', 'neither the history nor the queue can be written; send it again'))
}

async function ingestGithub(
  { headers, body }: HttpRequest,
  named: string | undefined,
  deps: IngestDeps,
): Promise<HttpAnswer> {
  const project = projectName.safeParse(named ?? 'main').data
  if (project === undefined) throw new Failure('NotFound', `no project is named ${named}`)
  if (body.byteLength > limits.event)
    throw new Failure(
      'TooLarge',
      `an event is at most ${limits.event} bytes, this one has ${body.byteLength}`,
    )
  await requireSignature(project, headers['x-hub-signature-256'], body, deps)
  const read = await attempt(async () =>
    githubEvent({ event: headers['x-github-event'], delivery: headers['x-github-delivery'], body }),
  )
  if ('error' in read) return keepUnreadable(project, body, read.error, deps)
  const event = read.value
  const arrivalOf = (id: string, duplicateof?: string): Arrival => ({
    door: 'http',
    project,
    actor: 'service:github',
    received: deps.clock(),
    raw: textOf({ ...event, id }) ?? Buffer.from(body).toString(),
    ifInvalid: 'quarantine',
    duplicateof,
    content: { kind: 'incoming', event: { ...event, id } },
  })
  const first = await attempt(() => firstDelivery(project, event.id, body, deps))
  // GitHub does not send it again: where nobody can say whether the body came before, it is kept, and taken for new
  const known = 'value' in first
  const arrivals = known
    ? await arrivalsOf(event.id, first.value, project, arrivalOf, deps)
    : [arrivalOf(event.id)]
  const outcomes = known ? await record(arrivals, deps) : [unavailable(first.error)]
  const answers = await Promise.all(
    arrivals.map((arrival, index) =>
      answerFor(arrival, outcomes[index] ?? unavailable(new Error('no outcome')), mostFaults, deps),
    ),
  )
  const lost = answers.find(({ status }) => status >= 500)
  const { status, ...answer } = lost ?? answers.at(-1) ?? failed(new Failure('Unavailable', 'no answer'))
  return {
    status,
    contentType: 'title' in answer ? 'application/problem+json' : 'application/json',
    body: 'title' in answer ? { status, ...answer } : answer,
    outcomes,
  }
}

/** Signed, so GitHub's own, and GitHub does not send it again: a person can look at what nobody could read. */
async function keepUnreadable(
  project: string,
  body: Uint8Array,
  error: unknown,
  deps: IngestDeps,
): Promise<HttpAnswer> {
  const faults = [{ path: '(whole)', expected: 'a webhook of GitHub', got: reasonOf(error) }]
  const arrival: Arrival = {
    door: 'http',
    project,
    actor: 'service:github',
    received: deps.clock(),
    raw: Buffer.from(body).toString(),
    ifInvalid: 'quarantine',
    content: { kind: 'unreadable', faults },
  }
  const [outcome = unavailable(error)] = await record([arrival], deps)
  const { status, ...answer } = await answerFor(arrival, outcome, mostFaults, deps)
  return { status, contentType: 'application/json', body: answer, outcomes: [outcome] }
}

/** Secrets are cached, so a signature that fits none of them is held against freshly read ones before it is refused. */
async function requireSignature(
  project: string,
  signature: string | undefined,
  body: Uint8Array,
  deps: IngestDeps,
): Promise<void> {
  const refused = (message: string) => new Failure('Unauthenticated', message)
  if (signature === undefined)
    throw refused('the x-hub-signature-256 header is missing: give the webhook a secret')
  if (isSigned(body, signature, await deps.webhookSecrets('github', project, false))) return
  if (isSigned(body, signature, await deps.webhookSecrets('github', project, true))) return
  throw refused('x-hub-signature-256 is not that of this body under the secret of this project')
}

const unavailable = (error: unknown): Outcome => ({ status: 'unavailable', error })
