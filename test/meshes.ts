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

export const meshFrom = (nodes: MeshNode[], elements: MeshElement[]): Mesh => ({
  version: 1,
  stacks: [{ name: 'test', region: 'us-east-1' }],
  nodes,
  elements,
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

export const tokens = (rate: number, unit = 'requests', over: 'refuse' | 'delay' = 'refuse'): Law => ({
  law: 'tokens',
  rate,
  burst: rate,
  unit,
  over,
  from: 'template',
})
