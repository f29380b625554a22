import { buildStatusChanged } from '../../events/build.status-changed.ts'
import { deploymentFailed } from '../../events/deployment.failed.ts'
import { githubPush } from '../../events/github.push.ts'
import { qualityGateEvaluated } from '../../events/quality-gate.evaluated.ts'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { repositoryUpdated } from '../../events/repository.updated.ts'
import { rollbackDecided } from '../../events/rollback.decided.ts'
import type { Route } from '../../events/route.ts'
import { routes as ours } from '../../events/routes.ts'
import { testCompleted } from '../../events/test.completed.ts'

/** Who plays: the product's own routes, and some of ours that do what the product's do not. */

const settings = { batch: 10, concurrency: 3, attempts: 3, timeout: 10 } as const

const extras: readonly Route[] = [
  {
    subscriber: 'ledger',
    kind: 'function',
    types: [testCompleted, 'acme.ordered'],
    effect: 'state',
    emits: [buildStatusChanged],
    ...settings,
  },
  {
    subscriber: 'mirror',
    kind: 'function',
    types: [githubPush, testCompleted, deploymentFailed],
    effect: 'outside',
    emits: [repositoryAnalyzed],
    ...settings,
    batch: 3,
  },
  {
    subscriber: 'chain',
    kind: 'function',
    types: [repositoryAnalyzed],
    effect: 'outside',
    emits: [qualityGateEvaluated],
    ...settings,
  },
  {
    subscriber: 'tail',
    kind: 'function',
    types: [qualityGateEvaluated],
    effect: 'state',
    emits: [],
    ...settings,
    attempts: 5,
  },
  {
    subscriber: 'shop',
    kind: 'function',
    types: ['acme.ordered'],
    effect: 'outside',
    emits: [rollbackDecided],
    downstream: ({ partitionkey }) => partitionkey.split('#')[0] ?? '',
    ...settings,
    attempts: 4,
  },
  {
    subscriber: 'looper',
    kind: 'function',
    types: [rollbackDecided],
    effect: 'outside',
    emits: [rollbackDecided],
    loop: 'it does not: the hop limit ends it',
    ...settings,
  },
  {
    subscriber: 'follow',
    kind: 'function',
    types: [buildStatusChanged, repositoryUpdated],
    effect: 'outside',
    emits: [],
    ordered: true,
    ...settings,
  },
  {
    subscriber: 'fold',
    kind: 'function',
    types: [buildStatusChanged, repositoryUpdated],
    effect: 'state',
    emits: [],
    ordered: true,
    ...settings,
    attempts: 2,
  },
]

/** A route that is in the older version of the code alone, or in the newer one alone: of each kind that there is. */
const moving = {
  outside: { kind: 'function', types: [testCompleted, githubPush], effect: 'outside' },
  state: { kind: 'function', types: [testCompleted, githubPush], effect: 'state' },
  ordered: {
    kind: 'function',
    types: [buildStatusChanged, repositoryUpdated],
    effect: 'outside',
    ordered: true,
  },
  workflow: { kind: 'workflow', types: [githubPush], effect: 'outside' },
} as const satisfies Record<string, Partial<Route>>
export type Moving = keyof typeof moving
export const movings = Object.keys(moving) as [Moving, ...Moving[]]

/** What mends others is always there, and so is what knows of runs, or tells them. */
const always = new Set(['redrive', 'replay', 'track-run', 'resume-workflow'])
const all: readonly Route[] = [...ours, ...extras]

export const subscribers: readonly string[] = all
  .map(({ subscriber }) => subscriber)
  .filter((name) => !always.has(name))

/** Of a version of the code. */
export type Generation = 'older' | 'newer'

/** The routes of each version, with these subscribers; both are the same where nothing is deployed. */
export function castOf(
  names: readonly string[],
  moved: Moving | undefined,
): Record<Generation, readonly Route[]> {
  const routes = all.filter(({ subscriber }) => names.includes(subscriber) || always.has(subscriber))
  if (moved === undefined) return { older: routes, newer: routes }
  const own: Omit<Route, 'subscriber'> = { ...moving[moved], emits: [], ...settings }
  return {
    older: [...routes, { ...own, subscriber: 'leaving' }],
    newer: [...routes, { ...own, subscriber: 'coming' }],
  }
}

/** What is sent beside events that are new and valid. */
export const labels = [
  'again',
  'other source',
  'conflict',
  'invalid',
  'forged',
  'newer',
  'older',
  'next version',
  'large',
  'copied webhook',
  'batch',
  'command',
  'garbage',
  'loops',
] as const
export type Label = (typeof labels)[number]

/** How a subscriber takes an event that is of a certain story. */
export const behaviours = ['terminal', 'flaky', 'hopeless', 'crashes', 'stumbles', 'slow'] as const
export type Behaviour = (typeof behaviours)[number]
