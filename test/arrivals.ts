import { type Arrival, readMessage } from '../core/event/arrival.ts'
import { buildStatusChanged } from '../events/build.status-changed.ts'
import { githubPush } from '../events/github.push.ts'
import { repositoryAnalyzed } from '../events/repository.analyzed.ts'
import { testCompleted } from '../events/test.completed.ts'
import { noon } from './world.ts'

/** What comes to the doors of a test's world. */

type CloudEvent = Record<string, unknown> & { id: string; source: string; type: string }

export const push = (id = 'push-1', given: Record<string, unknown> = {}): CloudEvent => ({
  specversion: '1.0',
  id,
  source: 'https://github.com/octo/hello',
  type: 'github.push',
  data: githubPush.example,
  ...given,
})

export const tests = (id = 'tests-1', given: Record<string, unknown> = {}): CloudEvent => ({
  specversion: '1.0',
  id,
  source: '/ci',
  type: 'test.completed',
  data: testCompleted.example,
  ...given,
})

/** By HTTP, under a key of the project main: what is wrong with it is answered. */
export const byHttp = (event: unknown, given: Partial<Arrival> = {}): Arrival => ({
  door: 'http',
  project: 'main',
  actor: 'user:k1',
  received: noon,
  raw: JSON.stringify(event),
  ifInvalid: 'answer',
  content: { kind: 'incoming', event },
  ...given,
})

/** As EventBridge hands over what somebody put on the inbox bus. */
export const envelope = (detail: unknown, given: Record<string, unknown> = {}) => ({
  version: '0',
  id: 'eb-1',
  source: 'acme.shop',
  account: '111122223333',
  time: '2026-01-01T11:59:59Z',
  region: 'us-east-1',
  resources: [],
  'detail-type': 'acme.ordered',
  detail,
  ...given,
})

/** From the record queue: an EventBridge envelope or a frame of ours. */
export const queued = (body: unknown, accounts = {}): Arrival =>
  readMessage(typeof body === 'string' ? body : JSON.stringify(body), noon, accounts)

/** From the inbox bus: what is wrong with it goes into quarantine. */
export const byBus = (detail: unknown): Arrival => queued(envelope(detail))

/** What `analyze` emits while it handles an event. */
export const emit = (
  cause: { source: string; id: string; correlationid?: string; hops?: number } | undefined,
  event: Record<string, unknown> = {},
  given: Record<string, unknown> = {},
) => ({
  door: 'emit',
  project: 'main',
  by: 'analyze',
  ...(cause && { cause: { correlationid: cause.id, hops: 0, ...cause } }),
  event: { type: 'repository.analyzed', data: repositoryAnalyzed.example, step: 0, ...event },
  ...given,
})

/** A change of state that was committed together with what it tells. */
export const told = (event: Record<string, unknown> = {}, given: Record<string, unknown> = {}) => ({
  door: 'outbox',
  project: 'main',
  by: 'api',
  actor: 'user:k1',
  partitionkey: 'build/octo/hello/main',
  sequence: 3,
  event: { type: 'build.status-changed', data: buildStatusChanged.example, step: 0, ...event },
  ...given,
})

/** What a run of `validate` is started with, for a push of this project. */
export const runInput = (project: string) => ({
  workflow: 'validate',
  run: 'run-1',
  attempt: 1,
  replay: '',
  event: {
    project,
    source: 'https://github.com/octo/hello',
    id: 'push-1',
    type: 'github.push',
    partitionkey: 'repository/octo/hello',
    correlationid: 'story',
    hops: 3,
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  },
})

/** A status of an execution, framed as the rule on AWS's default bus does it. */
export const status = (detail: Record<string, unknown> = {}) => ({
  door: 'states',
  event: {
    source: 'aws.states',
    detail: {
      executionArn: 'arn:aws:states:us-east-1:111122223333:execution:loadpath-dev-validate:run-1',
      stateMachineArn: 'arn:aws:states:us-east-1:111122223333:stateMachine:loadpath-dev-validate',
      name: 'run-1',
      status: 'SUCCEEDED',
      startDate: Date.parse(noon) - 9000,
      stopDate: Date.parse(noon) - 1000,
      input: null,
      output: null,
      error: null,
      cause: null,
      ...detail,
    },
  },
})
