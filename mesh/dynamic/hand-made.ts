import { type Loaded, load } from '../load.ts'
import { type Loads, noLoads } from '../loads.ts'
import type { Law, Mesh, MeshElement, MeshNode, NodeOf, Retry } from '../model.ts'

/* Meshes made by hand, for tests. */

const bare = (id: string, laws: readonly Law[]) => ({
  id,
  name: id,
  path: `app/${id}`,
  stack: 'app',
  type: '',
  laws: [...laws],
})

export const apiNode = (id: string, laws: readonly Law[] = []): MeshNode => ({
  ...bare(id, laws),
  kind: 'api',
  settings: { protocol: 'HTTP', timeout: 30 },
})

export const queueNode = (id: string, settings: Partial<NodeOf<'queue'>['settings']> = {}): MeshNode => ({
  ...bare(id, []),
  kind: 'queue',
  settings: { visibility: 60, retention: 345_600, delay: 0, fifo: false, deadLetters: false, ...settings },
})

export const functionNode = (id: string, laws: readonly Law[] = [], timeout = 10): MeshNode => ({
  ...bare(id, laws),
  kind: 'function',
  settings: { timeout, memory: 128 },
})

export const serviceNode = (id: string, laws: readonly Law[] = []): MeshNode => ({
  ...bare(id, laws),
  kind: 'service',
  settings: { desired: 1 },
})

export const servers = (count: number, over: 'wait' | 'refuse' = 'wait', shared?: string): Law => ({
  law: 'servers',
  servers: count,
  over,
  ...(shared !== undefined && { shared }),
  from: 'template',
})

export const tokens = (rate: number, burst: number, over: 'refuse' | 'delay', unit = 'requests'): Law => ({
  law: 'tokens',
  rate,
  burst,
  unit,
  over,
  from: 'template',
})

export const scaling = (initial: number, perMinute: number, most: number): Law => ({
  law: 'scaling',
  initial,
  perMinute,
  most,
  from: 'template',
})

const tries = (attempts: number): Retry => ({
  attempts,
  interval: 1,
  backoff: 2,
  jitter: false,
  from: 'template',
})

const joins = (kind: string, from: string, to: string, laws: readonly Law[] = []) => ({
  id: `${kind}:${from}>${to}`,
  from,
  to,
  types: null,
  provenance: 'template' as const,
  laws: [...laws],
})

export const poll = (from: string, to: string, laws: readonly Law[] = []): MeshElement => ({
  ...joins('poll', from, to, laws),
  kind: 'poll',
  batch: 1,
  window: 0,
  partialBatch: true,
  filtered: false,
  enabled: true,
})

export const delivery = (from: string, to: string, maxAge = 21_600, attempts = 1): MeshElement => ({
  ...joins('delivery', from, to),
  kind: 'delivery',
  retry: tries(attempts),
  maxAge,
  kept: true,
})

export const invoke = (from: string, to: string, attempts = 1, timeout = 30): MeshElement => ({
  ...joins('invoke', from, to),
  kind: 'invoke',
  retry: tries(attempts),
  timeout,
})

export const send = (
  from: string,
  to: string,
  ratio: number | null = 1,
  per: string | null = null,
): MeshElement => ({
  ...joins('call', from, to),
  kind: 'call',
  action: 'sqs:SendMessage',
  carries: true,
  per,
  ratio,
  retry: tries(1),
})

export const meshOfParts = (nodes: readonly MeshNode[], elements: readonly MeshElement[]): Mesh => ({
  version: 1,
  stacks: [{ name: 'app', region: 'us-east-1' }],
  nodes: [...nodes],
  elements: [...elements],
  watched: {},
  unknown: [],
  unresolved: [],
})

/** With arrivals of type `t` at the doors, and the mean service time, scv 1, of each node. */
export const loadedWith = (
  mesh: Mesh,
  arrivals: Readonly<Record<string, number>>,
  service: Readonly<Record<string, number>>,
  more: Partial<Loads> = {},
): Loaded =>
  load(mesh, {
    ...noLoads,
    arrivals: new Map(Object.entries(arrivals).map(([node, rate]) => [node, new Map([['t', rate]])])),
    service: new Map(
      Object.entries(service).map(([node, mean]) => [node, { mean, scv: 1, batch: undefined }]),
    ),
    ...more,
  })
