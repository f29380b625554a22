import type { EventBus } from 'aws-cdk-lib/aws-events'
import type { Topic } from 'aws-cdk-lib/aws-sns'
import type { IConstruct } from 'constructs'
import { eventTypes } from '../events/catalogue.ts'
import type { EventType } from '../events/event-type.ts'
import { type Route, typeName } from '../events/route.ts'
import { producers } from '../events/routes.ts'
import { workflowStarted } from '../events/workflow.started.ts'
import type { HouseFunction } from './constructs/house-function.ts'
import type { HouseQueue } from './constructs/house-queue.ts'
import type { HttpDoor } from './constructs/http-door.ts'
import { resourceOf, say } from './constructs/mesh-metadata.ts'
import type { OutboxStream } from './constructs/outbox-stream.ts'
import { emitsByItself, type Workflow } from './constructs/workflow.ts'

/**
 * What code sends, in the notation of `Metadata.mesh` (docs/mesh.md): `ratio` messages for each that is handled, of the
 * type `per` or of whatever type. null: the repository does not say how many; `loadpath mesh rates` measures it. 0: nothing
 * but when something has failed or a person mends it.
 */
type Send = { to: string; type?: string; per?: string; ratio: number | null }

export type Traffic = {
  routes: readonly Route[]
  functions: readonly HouseFunction[]
  record: HouseQueue
  subscribers: readonly { route: Route; queue: HouseQueue }[]
  stateMachines: readonly Workflow[]
  /** ARNs of what the state stack keeps */
  history: string
  memory: string
  ephemeral: string
  bucket: string
  topic: Topic
  events: EventBus
  http: HttpDoor
  outbox: OutboxStream
  /** what Step Functions says of our runs */
  statuses: IConstruct
}

/** What Step Functions calls what it tells of a run: that it runs, and how it ended. */
const statusChange = 'Step Functions Execution Status Change'
/** Requests to the API beside the commands that make events. */
export const otherRequests = 'request'
/** Records of memory: what its stream leaves out. */
const state = 'state'

/** The types of events by how they get to the gate, from the catalogue, the routes and their producers. */
export function kindsOf(routes: readonly Route[]) {
  const names = (types: readonly (EventType | string)[]) => [...new Set(types.map(typeName))].toSorted()
  const { 'Step Functions status events': statuses = [], ...others } = producers
  const bare = routes.flatMap(({ types }) => types.filter((type) => typeof type === 'string'))
  const emits = (wanted: (route: Route, type: EventType) => boolean) =>
    routes.flatMap((route) => route.emits.filter((type) => wanted(route, type)))
  const isSent = ({ kind, effect, subscriber }: Route, { type }: EventType) =>
    kind === 'workflow' ? emitsByItself(subscriber, type) : effect === 'outside'
  return {
    /** HTTP and PutEvents */
    outside: names([...eventTypes.filter(({ origin }) => origin === 'outside'), ...bare]),
    /** sent to the record queue by handlers and definitions */
    sent: names(emits(isSent)),
    /** written into the outbox, together with what they tell of */
    committed: names([...emits((route, type) => !isSent(route, type)), ...Object.values(others).flat()]),
    statuses: names(statuses),
    commands: Object.keys(producers).filter((name) => /^[A-Z]+ \//.test(name)),
  }
}

/** Writes into the templates what each part of the code sends, as far as routes, catalogue and grants say it. */
export function declareTraffic(traffic: Traffic): void {
  const { functions, stateMachines, http, outbox } = traffic
  const kinds = kindsOf(traffic.routes)
  const sends = sendsOf(traffic, kinds)
  const sent = (construct: IConstruct, all: readonly Send[]) => {
    if (all.length > 0) say(construct, { sends: all })
  }
  for (const { name, lambda } of functions) sent(lambda, sends.ofFunction(name))
  for (const { name, machine } of stateMachines) sent(machine, sends.ofWorkflow(name))
  for (const { to, integration } of http.routes)
    say(integration, { takes: to.name === 'api' ? [...kinds.commands, otherRequests] : kinds.outside })
  say(outbox.mapping, { takes: kinds.committed })
  // its pattern asks for our runs, and the mesh has no others
  say(traffic.statuses, { takes: [statusChange] })
}

/** What the mesh finds a resource of this stack by. */
const pathOf = (construct: IConstruct): string => resourceOf(construct).node.path

const nothing = (...to: readonly string[]): Send[] => to.map((one) => ({ to: one, ratio: 0 }))

function sendsOf(
  traffic: Traffic,
  { outside, sent, committed, statuses, commands }: ReturnType<typeof kindsOf>,
) {
  const { routes, subscribers, history, memory, ephemeral, bucket } = traffic
  const record = pathOf(traffic.record.queue)
  const queues = subscribers.map(({ queue }) => pathOf(queue.queue))
  /** what the gate sends on of events of these types; a condition of a route asks about data */
  const routed = (types: readonly string[], how: { per?: string; ratio?: number | null } = {}): Send[] =>
    types.flatMap((type) =>
      subscribers
        .filter(({ route }) => route.types.some((taken) => typeName(taken) === type))
        .map(({ route, queue }) => ({
          ...{ to: pathOf(queue.queue), type, per: type },
          ratio: route.when?.some((condition) => condition.type === type) ? null : 1,
          ...how,
        })),
    )
  // an event, its page of the timeline that it may share with others, its body where that is large
  const gate = (sends: readonly Send[]): Send[] => [
    ...sends,
    ...nothing(...queues.filter((queue) => !sends.some(({ to }) => to === queue))),
    { to: history, ratio: 1 },
    { to: history, ratio: null },
    { to: bucket, ratio: null },
  ]
  const commits = (types: readonly (EventType | string)[], per?: string): Send[] =>
    types.map((type) => ({
      ...{ to: memory, type: typeName(type), ratio: null },
      ...(per !== undefined && { per }),
    }))
  const remembers: Send = { to: memory, type: state, ratio: null }
  const mends = (name: string): Send[] => [
    ...commits(producers[`functions/${name}`] ?? []),
    remembers,
    ...nothing(...queues, history, bucket),
  ]

  // the mark, and what holds a subscriber back and is held for a person
  const consumer: Send[] = [{ to: history, ratio: 1 }, ...nothing(bucket, ephemeral)]
  const handler = (name: string): Send[] => {
    const own = subscribers.find(({ route }) => route.subscriber === name)
    if (own === undefined) return []
    const { effect, emits, ordered } = own.route
    const emitted: Send[] = emits.map(({ type }) => ({ to: record, type, ratio: null }))
    return [
      ...consumer,
      ...(effect === 'state' ? [...commits(emits), remembers] : emitted),
      ...nothing(...(effect === 'state' ? [record] : [memory, ...(emits.length === 0 ? [record] : [])])),
      ...nothing(...(ordered ? [pathOf(own.queue.queue)] : [])),
    ]
  }
  const runs = routes.filter(({ kind }) => kind === 'workflow')
  /** what runs of workflows tell through the functions that they invoke */
  const throughSteps = runs.flatMap(({ subscriber, emits }) =>
    emits.filter(({ type }) => !emitsByItself(subscriber, type)),
  )
  const starts = traffic.stateMachines.flatMap(({ name, machine }) =>
    (runs.find(({ subscriber }) => subscriber === name)?.types ?? []).map((type) => ({
      ...{ to: pathOf(machine), type: typeName(type), per: typeName(type) },
      // the function is not told which queue a message of the mesh is from
      ratio: runs.filter(({ types }) => types.includes(type)).length === 1 ? 1 : null,
    })),
  )
  const requests = runs.flatMap(({ types }) =>
    types.map(typeName).filter((type) => outside.includes(type) && /-requested$/.test(type)),
  )
  const functions: Readonly<Record<string, readonly Send[]>> = {
    ingest: [...gate(routed(outside)), { to: ephemeral, ratio: null }, ...nothing(record)],
    record: gate([
      ...routed([...outside, ...sent]),
      // of the two that are told of each run one is that it runs
      ...routed(statuses, { per: statusChange, ratio: null }).map((send) =>
        send.type === workflowStarted.type ? { ...send, ratio: 0.5 } : send,
      ),
    ]),
    relay: [...gate(routed(committed)), { to: memory, type: state, ratio: 1 }],
    api: [
      ...commands.flatMap((command) => commits(producers[command] ?? [], command)),
      remembers,
      ...requests.map((type) => ({ to: record, type, per: otherRequests, ratio: null })),
      ...nothing(...queues, history, bucket),
    ],
    sweep: mends('sweep'),
    'dead-letter': nothing(...queues, history, bucket),
    'redrive-batch': mends('redrive-batch'),
    'replay-batch': mends('replay-batch'),
    'validate-mesh': [
      ...commits(producers['functions/validate-mesh'] ?? []),
      remembers,
      { to: bucket, ratio: null },
    ],
    'start-workflow': [...consumer, ...starts, remembers, ...nothing(record)],
    'collect-facts': [remembers],
    'request-approval': [...commits(throughSteps), remembers],
    notify: [...handler('notify'), { to: pathOf(traffic.topic), ratio: 1 }],
    publish: [...handler('publish'), { to: pathOf(traffic.events), ratio: 1 }],
  }
  return {
    ofFunction: (name: string): readonly Send[] => functions[name] ?? handler(name),
    ofWorkflow: (name: string): readonly Send[] =>
      (runs.find(({ subscriber }) => subscriber === name)?.emits ?? [])
        .filter(({ type }) => emitsByItself(name, type))
        .map(({ type }) => ({ to: record, type, ratio: null })),
  }
}
