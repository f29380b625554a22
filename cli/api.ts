import type { z } from 'zod'
import { writeId } from '../core/path-id.ts'
import * as answers from './answers.ts'
import { httpTransport, path, type Query, type Send, sender, type Transport } from './client.ts'
import type { Stage } from './stage.ts'

/** The API, a method for each thing that it does. Every one throws an error for people when it is refused. */
export type Api = ReturnType<typeof createApi>

export type Paged = { limit?: number | undefined; cursor?: string | undefined }

export const createApi = (send: Send) => {
  const get = <Schema extends z.ZodType>(schema: Schema, segments: readonly string[], query: Query = {}) =>
    send(schema, { path: path(['v1', ...segments], query) })
  const post = <Schema extends z.ZodType>(
    schema: Schema,
    segments: readonly string[],
    json: unknown,
    headers: Record<string, string> = {},
  ) => send(schema, { method: 'POST', path: path(['v1', ...segments]), json, headers })

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

    deadLetters: (query: Paged & { subscriber?: string }) =>
      get(answers.listOf(answers.openDelivery), ['dead-letters'], query),
    deadLetter: (id: string, query: { source?: string; subscriber?: string }) =>
      get(answers.deadLetter, ['dead-letters', writeId(id)], query),
    quarantine: (query: Paged) => get(answers.listOf(answers.quarantined), ['quarantine'], query),
    quarantined: (digest: string) => get(answers.quarantined, ['quarantine', digest]),

    run: (
      request: { workflow: string; data?: unknown; event?: { id: string; source?: string } },
      key: string,
    ) =>
      post(answers.runName, ['runs'], request, {
        'idempotency-key': key,
      }),
    runs: (query: Paged & { workflow?: string; status?: string }) =>
      get(answers.listOf(answers.run), ['runs'], query),
    runOf: (workflow: string, run: string) => get(answers.run, ['runs', workflow, run]),
    stopRun: (workflow: string, run: string, reason?: string) =>
      post(answers.runName, ['runs', workflow, run, 'stop'], { reason }),
    retryRun: (workflow: string, run: string) => post(answers.nextRun, ['runs', workflow, run, 'retry'], {}),

    approvals: (query: Paged & { status?: string }) =>
      get(answers.listOf(answers.approval), ['approvals'], query),
    approval: (approval: string) => get(answers.approval, ['approvals', writeId(approval)]),
    decide: (approval: string, decision: { decision: 'approved' | 'denied'; comment?: string }) =>
      post(answers.approval, ['approvals', writeId(approval), 'decision'], decision),

    keys: (query: Paged & { project?: string }) => get(answers.listOf(answers.key), ['keys'], query),
    createKey: (request: { name: string; scopes: string[]; project?: string; expiresInDays?: number }) =>
      post(answers.newKey, ['keys'], request),
    revokeKey: (id: string) => send(answers.key, { method: 'DELETE', path: path(['v1', 'keys', id]) }),

    declareRepository: (request: unknown) => post(answers.repository, ['repositories'], request),
    repositories: (query: Paged) => get(answers.listOf(answers.repository), ['repositories'], query),
    repository: (owner: string, name: string) => get(answers.repository, ['repositories', owner, name]),
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
