import type { z } from 'zod'
import { writeId } from '../core/path-id.ts'
import * as answers from './answers.ts'
import * as mending from './answers-mending.ts'
import { httpTransport, path, type Query, type Send, sender, type Transport } from './client.ts'
import type { Stage } from './stage.ts'

/** The API, a method for each thing that it does. Every one throws an error for people when it is refused. */
export type Api = ReturnType<typeof createApi>

export type Paged = { limit?: number | undefined; cursor?: string | undefined }

/** Which dead deliveries; what is left out means all. */
export type Selected = {
  subscriber?: string
  type?: string
  reason?: string
  since?: string
  until?: string
  where?: readonly { path: string; value: string }[]
}

const inQuery = ({ where, ...query }: Selected & Paged): Query => ({
  ...query,
  ...(where && { where: where.map(({ path: name, value }) => `${name}=${value}`) }),
})

/** Which delivery of an event. */
export type Named = { subscriber?: string; source?: string; replay?: string }

/** An event may be called as a list is. */
const deadLetterId = (id: string): string =>
  id === 'groups' ? `base64url:${Buffer.from(id).toString('base64url')}` : writeId(id)

/** Which events a replay hands to its subscriber; what is left out means all. */
export type ReplaySelected = {
  subscriber: string
  since?: string
  until?: string
  type?: string
  key?: string
  story?: string
  event?: { id: string; source?: string }
  asRecorded?: boolean
}
export type RebuildSelected = { subscriber: string; since?: string; asRecorded?: boolean }

export type QuarantineFilter = { reason?: string; type?: string; path?: string; since?: string }

/** The same key asks for the same thing, which is begun once. */
const once = (key: string) => ({ 'idempotency-key': key })

export const createApi = (send: Send) => {
  const get = <Schema extends z.ZodType>(schema: Schema, segments: readonly string[], query: Query = {}) =>
    send(schema, { path: path(['v1', ...segments], query), options: true })
  const post = <Schema extends z.ZodType>(
    schema: Schema,
    segments: readonly string[],
    json: unknown,
    headers: Record<string, string> = {},
    options = true,
  ) => send(schema, { method: 'POST', path: path(['v1', ...segments]), json, headers, options })
  /** What is sent is data of an event, or is judged by what it holds: that it does not fit is the answer. */
  const postData = <Schema extends z.ZodType>(
    schema: Schema,
    segments: readonly string[],
    json: unknown,
    headers: Record<string, string> = {},
  ) => post(schema, segments, json, headers, false)

  return {
    health: () => get(answers.health, ['health']),
    routes: () => get(answers.listOf(answers.route), ['routes']),

    putEvent: (event: unknown) =>
      send(answers.recorded, {
        method: 'POST',
        path: '/events',
        headers: { 'content-type': 'application/cloudevents+json' },
        body: JSON.stringify(event),
      }),
    putEvents: (events: readonly unknown[]) =>
      send(answers.recordedBatch, {
        method: 'POST',
        path: '/events',
        headers: { 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify(events),
      }),
    /** attributes as `ce-*` headers, the data as the body */
    putBinary: (attributes: Readonly<Record<string, string>>, data: unknown) =>
      send(answers.recorded, {
        method: 'POST',
        path: '/events',
        headers: Object.fromEntries(
          Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encodeURI(value)]),
        ),
        json: data,
      }),
    github: (headers: Record<string, string>, body: string) =>
      send(answers.recorded, { method: 'POST', path: '/webhooks/github', headers, body }),

    events: (query: Paged & { type?: string; key?: string; since?: string; until?: string }) =>
      get(answers.listOf(answers.eventEntry), ['events'], query),
    event: (id: string, source?: string) => get(answers.eventView, ['events', writeId(id)], { source }),
    why: (id: string, source?: string) => get(answers.why, ['events', writeId(id), 'fate'], { source }),
    trace: (key: string, query: Paged & { source?: string }) =>
      get(answers.trace, ['trace', writeId(key)], query),

    deadLetters: (query: Paged & Selected) => get(mending.deadLetters, ['dead-letters'], inQuery(query)),
    deadLetter: (id: string, query: Named) =>
      get(mending.deadLetter, ['dead-letters', deadLetterId(id)], query),
    deadGroups: (query: Selected & { cursor?: string | undefined }) =>
      get(mending.deadGroups, ['dead-letters', 'groups'], inQuery(query)),
    redriveAll: (request: Selected & { all?: true; rate?: number; stopAfter?: number }, key: string) =>
      post(mending.job, ['dead-letters', 'redrive'], request, once(key)),
    dropSome: (request: Selected & { all?: true; because?: string; cursor?: string | undefined }) =>
      post(mending.droppedSome, ['dead-letters', 'drop'], request),
    redrive: (id: string, request: Named) =>
      post(mending.mendedItems, ['dead-letters', deadLetterId(id), 'redrive'], request),
    editDead: (id: string, request: Named & { data: unknown }) =>
      postData(mending.edited, ['dead-letters', deadLetterId(id), 'edit'], request),
    drop: (id: string, request: Named & { reason?: string }) =>
      post(mending.mendedItems, ['dead-letters', deadLetterId(id), 'drop'], request),

    jobs: (query: Paged & { kind?: string; state?: string }) =>
      get(answers.listOf(mending.job), ['jobs'], query),
    job: (id: string) => get(mending.job, ['jobs', writeId(id)]),
    pauseJob: (id: string) => post(mending.job, ['jobs', writeId(id), 'pause'], {}),
    resumeJob: (id: string) => post(mending.job, ['jobs', writeId(id), 'resume'], {}),
    replay: (request: ReplaySelected & { rate?: number; emit?: boolean }, key: string) =>
      post(mending.askedJob, ['replays'], request, once(key)),
    countReplay: (request: ReplaySelected & { emit?: boolean; cursor?: string | undefined }) =>
      post(mending.countedReplay, ['replays', 'count'], request),
    replayOf: (id: string) => get(mending.replay, ['replays', writeId(id)]),
    rebuild: (request: RebuildSelected & { rate?: number; switch?: boolean }, key: string) =>
      post(mending.askedJob, ['rebuilds'], request, once(key)),
    countRebuild: (request: RebuildSelected & { cursor?: string | undefined }) =>
      post(mending.countedReplay, ['rebuilds', 'count'], request),
    stopJob: (id: string, reason?: string) => post(mending.job, ['jobs', writeId(id), 'stop'], { reason }),

    quarantine: (query: Paged & QuarantineFilter) =>
      get(answers.listOf(mending.quarantined), ['quarantine'], query),
    quarantineGroups: (query: QuarantineFilter & { cursor?: string | undefined }) =>
      get(answers.listOf(mending.quarantineGroup), ['quarantine', 'groups'], query),
    quarantineSettled: (query: Paged) =>
      get(answers.listOf(mending.settledQuarantine), ['quarantine', 'settled'], query),
    redriveQuarantine: (request: Paged & QuarantineFilter & { dryRun: boolean }) =>
      post(answers.listOf(mending.mendedQuarantine), ['quarantine', 'redrive'], request),
    redriveQuarantined: (digest: string, request: { dryRun: boolean }) =>
      postData(mending.mendedQuarantine, ['quarantine', writeId(digest), 'redrive'], request),
    editQuarantined: (digest: string, request: { dryRun: boolean; text?: string; data?: unknown }) =>
      postData(mending.mendedQuarantine, ['quarantine', writeId(digest), 'edit'], request),
    dropQuarantined: (digest: string, request: { reason?: string }) =>
      post(mending.mendedQuarantine, ['quarantine', writeId(digest), 'drop'], request),
    quarantined: (digest: string) => get(mending.quarantined, ['quarantine', writeId(digest)]),

    balance: (query: {
      since?: string
      until?: string
      patience?: number
      replay?: string
      shard: number
      cursor?: string | undefined
    }) => get(mending.balance, ['balance'], query),
    meshRates: (query: { since?: string; until?: string; shard: number; cursor?: string | undefined }) =>
      get(mending.rates, ['mesh', 'rates'], query),
    mendBalance: (deliveries: readonly { source: string; id: string; subscriber: string }[]) =>
      post(answers.listOf(mending.mendedDelivery), ['balance', 'mend'], { deliveries }),

    run: (
      request: { workflow: string; data?: unknown; event?: { id: string; source?: string } },
      key: string,
    ) => postData(answers.runName, ['runs'], request, once(key)),
    runs: (query: Paged & { workflow?: string; status?: string }) =>
      get(answers.listOf(answers.run), ['runs'], query),
    runOf: (workflow: string, run: string) => get(answers.run, ['runs', writeId(workflow), writeId(run)]),
    stopRun: (workflow: string, run: string, reason?: string) =>
      post(answers.runName, ['runs', writeId(workflow), writeId(run), 'stop'], { reason }),
    retryRun: (workflow: string, run: string) =>
      post(answers.nextRun, ['runs', writeId(workflow), writeId(run), 'retry'], {}),

    approvals: (query: Paged & { status?: string }) =>
      get(answers.listOf(answers.approval), ['approvals'], query),
    approval: (approval: string) => get(answers.approval, ['approvals', writeId(approval)]),
    decide: (approval: string, decision: { decision: 'approved' | 'denied'; comment?: string }) =>
      post(answers.approval, ['approvals', writeId(approval), 'decision'], decision),

    keys: (query: Paged & { project?: string }) => get(answers.listOf(answers.key), ['keys'], query),
    createKey: (request: { name: string; scopes: string[]; project?: string; expiresInDays?: number }) =>
      post(answers.newKey, ['keys'], request),
    revokeKey: (id: string) =>
      send(answers.key, { method: 'DELETE', path: path(['v1', 'keys', writeId(id)]) }),

    declareRepository: (request: unknown) => post(answers.repository, ['repositories'], request),
    repositories: (query: Paged) => get(answers.listOf(answers.repository), ['repositories'], query),
    repository: (owner: string, name: string) =>
      get(answers.repository, ['repositories', writeId(owner), writeId(name)]),
    repositoryChanges: (owner: string, name: string) =>
      get(answers.repositoryChanges, ['repositories', writeId(owner), writeId(name), 'changes']),
    subscribers: () => get(answers.listOf(answers.subscriber), ['subscribers']),
    pause: (subscriber: string, request: { reason?: string }) =>
      post(answers.listOf(answers.paused), ['subscribers', writeId(subscriber), 'pause'], request),
    resume: (subscriber: string, request: { rate?: number; circuits: boolean }) =>
      post(answers.listOf(answers.resumed), ['subscribers', writeId(subscriber), 'resume'], request),

    builds: (query: Paged & { repository: string }) => get(answers.listOf(answers.build), ['builds'], query),
  }
}

/** The API of a stage, asked with its key, or by a transport that needs none. */
export async function connect(stage: Stage, transport?: Transport): Promise<Api> {
  const base = await stage.api()
  return createApi(
    sender(
      transport ?? httpTransport(base, { start: stage.start }),
      base,
      transport ? undefined : await stage.key(),
    ),
  )
}
