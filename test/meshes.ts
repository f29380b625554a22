import { type Loaded, load } from '../mesh/load.ts'
import { type Loads, noLoads } from '../mesh/loads.ts'
import {
  type ElementKind,
  type ElementOf,
  type Law,
  type Mesh,
  type MeshElement,
  type MeshNode,
  meshElement,
  meshNode,
  type NodeKind,
  type NodeOf,
} from '../mesh/model.ts'

/** Small meshes for tests: what a test does not care about has a default. */
const retry = { attempts: 1, interval: 0, backoff: 1, jitter: false, from: 'template' }

const settings: { [Kind in NodeKind]: NodeOf<Kind>['settings'] } = {
  bus: {},
  rule: { types: null, narrower: false, enabled: true },
  queue: {
    visibility: 60,
    retention: 345_600,
    delay: 0,
    fifo: false,
    maxReceiveCount: 5,
    deadLetters: false,
  },
  topic: { fifo: false },
  function: { timeout: 10, memory: 512 },
  workflow: { flavour: 'STANDARD' },
  task: {
    workflow: '',
    timeout: 60,
    integration: 'request',
    action: 'lambda:invoke',
    retries: [],
    catches: true,
    times: 1,
    concurrency: 0,
  },
  table: { billing: 'on-demand' },
  stream: { retention: 86_400 },
  api: { protocol: 'HTTP', timeout: 30 },
  schedule: { perSecond: 1 / 60, expression: 'rate(1 minute)', enabled: true },
  pipe: {},
  service: { desired: 1 },
  bucket: {},
  external: {},
}

export function node<Kind extends NodeKind>(
  kind: Kind,
  id: string,
  given: Partial<NodeOf<Kind>['settings']> = {},
  laws: readonly Law[] = [],
): MeshNode {
  return meshNode.parse({
    id,
    name: id,
    path: id,
    stack: 'test',
    type: '',
    kind,
    settings: { ...settings[kind], ...given },
    laws: [...laws],
  })
}

const extras: {
  [Kind in ElementKind]: Omit<
    ElementOf<Kind>,
    'id' | 'from' | 'to' | 'types' | 'provenance' | 'laws' | 'kind'
  >
} = {
  delivery: { retry, maxAge: 86_400, kept: true },
  poll: { batch: 10, window: 0, partialBatch: true, filtered: false, enabled: true },
  invoke: { retry, timeout: 30 },
  call: { action: '*', carries: true, per: null, ratio: 1, retry },
  'dead-letter': { of: 'poll' },
}

export function element<Kind extends ElementKind>(
  kind: Kind,
  from: string,
  to: string,
  given: Partial<Omit<ElementOf<Kind>, 'kind' | 'from' | 'to'>> = {},
): MeshElement {
  return meshElement.parse({
    id: `${kind}:${from}>${to}`,
    kind,
    from,
    to,
    types: null,
    provenance: 'template',
    laws: [],
    ...extras[kind],
    ...given,
  })
}

export const meshFrom = (nodes: readonly MeshNode[], elements: readonly MeshElement[]): Mesh => ({
  version: 1,
  stacks: [{ name: 'test', region: 'us-east-1' }],
  nodes: [...nodes],
  elements: [...elements],
  watched: {},
  unknown: [],
  unresolved: [],
})

export const servers = (n: number, over: 'wait' | 'refuse' = 'wait', shared?: string): Law => ({
  law: 'servers',
  servers: n,
  over,
  ...(shared === undefined ? {} : { shared }),
  from: 'template',
})

export const tokens = (
  rate: number,
  burst: number,
  over: 'refuse' | 'delay' = 'refuse',
  unit = 'requests',
): Law => ({
  ...{ law: 'tokens', rate, burst, unit, over },
  from: 'template',
})

export const scaling = (initial: number, perMinute: number, most: number): Law => ({
  ...{ law: 'scaling', initial, perMinute, most },
  from: 'template',
})

export const apiNode = (id: string, laws: readonly Law[] = []): MeshNode => node('api', id, {}, laws)
export const queueNode = (id: string, given: Partial<NodeOf<'queue'>['settings']> = {}): MeshNode =>
  node('queue', id, given)
export const functionNode = (id: string, laws: readonly Law[] = [], timeout = 10): MeshNode =>
  node('function', id, { timeout }, laws)
export const serviceNode = (id: string, laws: readonly Law[] = []): MeshNode => node('service', id, {}, laws)

const tries = (attempts: number) => ({ ...retry, attempts, interval: 1, backoff: 2 })

/** One message at a time. */
export const poll = (from: string, to: string, laws: Law[] = []): MeshElement =>
  element('poll', from, to, { batch: 1, laws })
export const delivery = (from: string, to: string, maxAge = 21_600, attempts = 1): MeshElement =>
  element('delivery', from, to, { retry: tries(attempts), maxAge })
export const invoke = (from: string, to: string, attempts = 1, timeout = 30): MeshElement =>
  element('invoke', from, to, { retry: tries(attempts), timeout })
export const send = (
  from: string,
  to: string,
  ratio: number | null = 1,
  per: string | null = null,
): MeshElement => element('call', from, to, { action: 'sqs:SendMessage', ratio, per, retry: tries(1) })

/** With arrivals of type `t` at the doors, and the mean service time, scv 1, of each node. */
export const loadedWith = (
  mesh: Mesh,
  arrivals: Readonly<Record<string, number>>,
  service: Readonly<Record<string, number>>,
  more: Partial<Loads> = {},
): Loaded =>
  load(mesh, {
    ...noLoads,
    arrivals: new Map(Object.entries(arrivals).map(([door, rate]) => [door, new Map([['t', rate]])])),
    service: new Map(Object.entries(service).map(([id, mean]) => [id, { mean, scv: 1, batch: undefined }])),
    ...more,
  })
