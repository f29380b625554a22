import type { Loads } from '../mesh/loads.ts'
import { noLoads } from '../mesh/loads.ts'
import type { ElementKind, Law, Mesh, MeshElement, MeshNode, NodeKind, NodeOf } from '../mesh/model.ts'
import { seeded } from '../mesh/random.ts'
import { element, meshFrom, node, scaling, servers, tokens } from './meshes.ts'

/** A mesh with what comes to it and how long things take. */
export type Sized = { mesh: Mesh; loads: Loads }

/**
 * A system of domains, each with an API, a bus, a table and subscribers of six shapes; what one domain handles, some later
 * domain may hear of, and within a domain some types lead back to earlier ones (gain below 1). Exactly so many elements,
 * 30 at least, the same for the same seed. Quotas of the account grow with the size, so that a large system is as busy as a small one.
 */
export function meshOfSize(elements: number, seed = 1): Sized {
  const system = growing(elements, seed)
  for (let domain = 0; system.left() >= leastDomain; domain++) addDomain(system, domain)
  // what is too little for a domain are more reads of tables
  const { nodes } = system.sized().mesh
  const readers = nodes.filter(({ kind }) => kind === 'function')
  const tables = nodes.filter(({ kind }) => kind === 'table')
  for (let place = 0; system.left() > 0; place++)
    reads(system, readers[place % readers.length]?.id ?? '', tables[place % tables.length]?.id ?? '')
  return system.sized()
}

/**
 * One loop of so many states, queues and functions in turns: each function sends on to the queue behind it, and now and
 * then to any other, so that all of them feed each other and what goes round fades by `gain` from one queue to the next.
 */
export function meshOfOneLoop(states: number, gain = 0.9, seed = 1): Sized {
  const pairs = Math.floor(states / 2)
  const system = growing(3 * pairs, seed)
  for (let pair = 0; pair < pairs; pair++) {
    system.add('queue', `queue-${pair}`)
    system.add('function', `function-${pair}`, {}, [servers(100, 'refuse')])
    system.takes(`function-${pair}`, 0.05)
  }
  for (let pair = 0; pair < pairs; pair++) {
    system.tie('poll', `queue-${pair}`, `function-${pair}`, { laws: [servers(50)] })
    const aside = (pair + 2 + Math.floor(system.random() * (pairs - 3))) % pairs
    const shortcut = pair % 10 === 0 && aside !== (pair + 1) % pairs
    sends(system, `function-${pair}`, `queue-${(pair + 1) % pairs}`, shortcut ? gain - gain / 5 : gain)
    if (shortcut) sends(system, `function-${pair}`, `queue-${aside}`, gain / 5)
  }
  system.arrives('queue-0', 't', 10)
  return system.sized()
}

type System = ReturnType<typeof growing>

/** Nodes and elements as they are added, and what is known of their loads. */
function growing(size: number, seed: number) {
  const random = seeded(seed)
  const nodes: MeshNode[] = []
  const elements: MeshElement[] = []
  const arrivals = new Map<string, Map<string, number>>()
  const service = new Map<string, { mean: number; scv: number; batch: number | undefined }>()
  const failures = new Map<string, number>()
  const said: Loads['sends'][number][] = []
  const quota = Math.max(1, size / 500)
  return {
    random,
    /** of a quota of the account, for a system of this size */
    quota: (shared: string, law: Law): Law => {
      if (law.law === 'servers') return { ...law, shared, servers: law.servers * quota }
      return law.law === 'tokens' ? { ...law, shared, rate: law.rate * quota } : law
    },
    left: () => size - elements.length,
    add: <Kind extends NodeKind>(
      kind: Kind,
      id: string,
      given: Partial<NodeOf<Kind>['settings']> = {},
      laws: readonly Law[] = [],
    ) => {
      nodes.push(node(kind, id, given, laws))
    },
    tie: <Kind extends ElementKind>(
      kind: Kind,
      from: string,
      to: string,
      given: Parameters<typeof element<Kind>>[3] = {},
    ) => {
      elements.push(element(kind, from, to, given))
    },
    arrives: (at: string, type: string, rate: number) => {
      arrivals.set(at, (arrivals.get(at) ?? new Map()).set(type, rate))
    },
    /** `batch`: messages an invocation */
    takes: (at: string, mean: number, batch?: number) => {
      service.set(at, { mean, scv: 0.5 + random(), batch })
      if (random() < 0.2) failures.set(at, 0.02 * random())
    },
    says: (from: string, to: string, type: string, ratio: number) => {
      said.push({ from, to, type, per: null, ratio, reads: false, measured: false })
    },
    sized: (): Sized => ({
      mesh: meshFrom(nodes, elements),
      loads: { ...noLoads, arrivals, service, failures, sends: said },
    }),
  }
}

const sdk = { attempts: 3, interval: 0.1, backoff: 2, maxDelay: 20, jitter: true, from: 'sdk-attempts' }
const latency = (p50: number, p99: number): Law => ({ law: 'latency', p50, p99, from: 'published' })

function reads(system: System, from: string, to: string): void {
  system.tie('call', from, to, {
    id: `call:${from}>${to}:${system.left()}`,
    action: 'dynamodb:GetItem',
    carries: false,
    retry: sdk,
  })
}

/** `type`: what it sends for each message of `per`. */
function sends(system: System, from: string, to: string, ratio: number, type?: string, per?: string): void {
  system.tie('call', from, to, {
    id: `call:${from}>${to}:${type ?? ''}:${per ?? ''}`,
    types: type === undefined ? null : [type],
    provenance: 'declared',
    per: per ?? null,
    ratio,
    retry: sdk,
  })
}

/** Elements of a domain without subscribers, and of the largest of them. */
const leastDomain = 30
const largestShape = 14
const typesOfDomain = 5

function addDomain(system: System, domain: number): void {
  const { random, add, tie, quota } = system
  const at = (name: string) => `d${domain}/${name}`
  const type = (place: number) => `d${domain}.${place % typesOfDomain}`
  const [api, bus, table, letters] = [at('api'), at('bus'), at('table'), at('dead-letters')]
  add('api', api, {}, [tokens(2000, 4000)])
  add('bus', bus, {}, [quota('put-events', tokens(400, 400))])
  add('table', table, {}, [tokens(4000, 0, 'refuse', 'writes'), tokens(12_000, 0, 'refuse', 'reads')])
  add('queue', letters, { deadLetters: true, retention: 1_209_600 })
  const worker = (name: string, mean: number, batch?: number) => {
    add('function', at(name), { timeout: 10 }, [
      quota('concurrency', servers(1000, 'refuse')),
      quota('lambda-requests', tokens(10_000, 0)),
      scaling(1000, 6000, 1000),
    ])
    system.takes(at(name), mean * (0.5 + random()), batch)
  }
  const queue = (name: string, consumer: string, most: number) => {
    add('queue', at(name), { visibility: 60, maxReceiveCount: 3 + Math.floor(random() * 5) }, [
      servers(120_000),
    ])
    const laws = [servers(most), scaling(5, 300, most), latency(0.016, 0.105)]
    tie('poll', at(name), at(consumer), { batch: 10, laws })
    tie('dead-letter', at(name), letters)
  }
  const rule = (name: string, types: string[], target: string) => {
    add('rule', at(name), { types }, [quota('invocations', tokens(750, 750, 'delay', 'deliveries'))])
    tie('delivery', bus, at(name), { types, retry: { ...sdk, attempts: 1 }, maxAge: 0 })
    tie('delivery', at(name), target, { retry: { ...sdk, attempts: 186 }, laws: [latency(0.148, 0.387)] })
  }

  // two doors of an API: of three requests two go to the one
  for (const [name, ratio] of [
    ['front', 2 / 3],
    ['intake', 1 / 3],
  ] as const) {
    worker(name, 0.04)
    tie('invoke', api, at(name))
    system.says(api, at(name), type(0), ratio)
    sends(system, at(name), bus, 1, type(0), type(0))
    reads(system, at(name), table)
  }
  system.arrives(api, type(0), 1 + 9 * random())
  // what another domain has heard of comes in as a type of this one
  if (domain > 0 && random() < 0.8) {
    const before = Math.floor(Math.max(0, domain - 8) + random() * Math.min(8, domain))
    const relay = at('relay')
    add('rule', relay, { types: [`d${before}.1`] }, [
      quota('invocations', tokens(750, 750, 'delay', 'deliveries')),
    ])
    tie('delivery', `d${before}/bus`, relay, { types: [`d${before}.1`], maxAge: 0 })
    worker('translate', 0.02)
    tie('delivery', relay, at('translate'), { retry: { ...sdk, attempts: 186 } })
    sends(system, at('translate'), bus, 0.5, type(1), `d${before}.1`)
  }
  const shapes = [subscriber, fanOut, workflow, changes, timer, competing]
  const count = 6 + Math.floor(random() * 6)
  for (let place = 0; place < count && system.left() >= largestShape; place++) {
    const shape = shapes[random() < 0.5 ? 0 : Math.floor(random() * shapes.length)] ?? subscriber
    shape({ system, place, at, type, bus, table, worker, queue, rule })
  }
}

type Domain = {
  system: System
  place: number
  at: (name: string) => string
  type: (place: number) => string
  bus: string
  table: string
  worker: (name: string, mean: number, batch?: number) => void
  queue: (name: string, consumer: string, most: number) => void
  rule: (name: string, types: string[], target: string) => void
}

/** Rule, queue, function: it reads, writes, and sends what follows, now and then what leads back. */
function subscriber({ system, place, at, type, bus, table, worker, queue, rule }: Domain): void {
  const [name, source] = [`handle-${place}`, type(place)]
  worker(name, 0.08, 1 + Math.floor(system.random() * 4))
  queue(`${name}-queue`, name, 20)
  rule(`${name}-rule`, system.random() < 0.3 ? [source, type(place + 2)] : [source], at(`${name}-queue`))
  reads(system, at(name), table)
  if (system.random() < 0.7)
    sends(system, at(name), bus, 0.1 + 0.1 * system.random(), type(place + 1), source)
}

/** A topic and what hears of it. */
function fanOut({ system, place, at, type, table, worker, queue, rule }: Domain): void {
  const topic = `topic-${place}`
  system.add('topic', at(topic), {}, [system.quota('publish', tokens(300, 300, 'refuse', 'messages'))])
  rule(`${topic}-rule`, [type(place)], at(topic))
  for (const name of [`${topic}-one`, `${topic}-two`, `${topic}-three`]) {
    worker(name, 0.05, 2)
    queue(`${name}-queue`, name, 10)
    system.tie('delivery', at(topic), at(`${name}-queue`), { laws: [latency(0.073, 0.225)] })
    reads(system, at(name), table)
  }
}

/** A state machine of three tasks, each a function. */
function workflow({ system, place, at, type, table, worker, rule }: Domain): void {
  const machine = `machine-${place}`
  system.add('workflow', at(machine), {}, [system.quota('start-execution', tokens(150, 800))])
  rule(`${machine}-rule`, [type(place)], at(machine))
  for (const step of [1, 2, 3]) {
    const [task, name] = [`${machine}#${step}`, `${machine}-step-${step}`]
    system.add('task', at(task), { workflow: at(machine), catches: step === 3 })
    system.tie('invoke', at(machine), at(task))
    worker(name, 0.2)
    system.tie('invoke', at(task), at(name), { retry: { ...sdk, attempts: 4, interval: 1 } })
    system.takes(at(task), 0.25)
    reads(system, at(name), table)
  }
}

/** What follows a table's changes. */
function changes({ system, place, at, type, bus, table, worker }: Domain): void {
  const name = `follow-${place}`
  worker(name, 0.03, 10)
  const laws = [servers(4), latency(0.213, 0.552)]
  system.tie('poll', table, at(name), { batch: 100, filtered: true, attempts: 5, laws })
  system.tie('call', at('front'), table, {
    id: `call:${at('front')}>${table}:${name}`,
    provenance: 'declared',
    ratio: 0.3,
    retry: sdk,
  })
  sends(system, at(name), bus, 0.2, type(4), type(0))
}

/** What comes by the clock. */
function timer({ system, place, at, type, bus, worker }: Domain): void {
  const name = `sweep-${place}`
  system.add('schedule', at(`${name}-schedule`), { perSecond: 1 / 60 })
  worker(name, 1)
  system.tie('delivery', at(`${name}-schedule`), at(name), { retry: { ...sdk, attempts: 3 } })
  sends(system, at(name), bus, 1, type(2), '*')
}

/** A function and a service that take from one queue. */
function competing({ system, place, at, type, table, worker, queue, rule }: Domain): void {
  const name = `share-${place}`
  worker(name, 0.1)
  queue(`${name}-queue`, name, 15)
  system.add('service', at(`${name}-service`), { desired: 2 }, [servers(8)])
  system.takes(at(`${name}-service`), 0.2)
  system.tie('poll', at(`${name}-queue`), at(`${name}-service`), { batch: 1 })
  rule(`${name}-rule`, [type(place)], at(`${name}-queue`))
  reads(system, at(`${name}-service`), table)
}
