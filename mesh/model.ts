// Longer than 300 lines: one document, each member with what it is.

import * as z from 'zod'

/*
 * mesh.json: a system as nodes that hold or handle messages and elements that carry them, with the laws that limit both.
 * What each member is stands beside it; `meshVersion` changes when a reader of the older would misread the newer.
 */
export const meshVersion = 1

/** Where the assembly says that a construct was made. */
const source = z.object({ file: z.string(), line: z.int().min(1) })

/** Who says so: the template, the name of a constant of laws/constants.ts, or the file of rates. */
const from = z.string().min(1)

/**
 * What limits a node or an element, and what happens beyond.
 * servers: so many at once; a request beyond waits, is refused, or there is always one more.
 * tokens: so many a second after a burst; what is beyond is refused or delayed.
 * scaling: how fast servers come: at first, at once beyond those that run, more a minute, at most.
 * latency: what the way itself takes, seconds.
 */
const law = z.discriminatedUnion('law', [
  z.object({
    law: z.literal('servers'),
    servers: z.number().positive(),
    over: z.enum(['wait', 'refuse']),
    shared: z
      .string()
      .optional()
      .describe('of several that share the limit: the name that they share it under'),
    keyed: z
      .boolean()
      .optional()
      .describe(
        'each message is bound to one of them, by its key or its shard: so many queues of one server',
      ),
    from,
  }),
  z.object({
    law: z.literal('tokens'),
    rate: z.number().positive(),
    burst: z.number().min(0),
    unit: z.string(),
    over: z.enum(['refuse', 'delay']),
    shared: z.string().optional(),
    from,
  }),
  z.object({
    law: z.literal('scaling'),
    initial: z.number().min(0),
    ahead: z
      .number()
      .positive()
      .optional()
      .describe('so many come at once beyond those that run; absent: none'),
    perMinute: z.number().min(0),
    most: z.number().positive(),
    from,
  }),
  z.object({ law: z.literal('latency'), p50: z.number().min(0), p99: z.number().min(0), from }),
])
export type Law = z.output<typeof law>

/**
 * The unit of requests whose caller waits, pollers among them. What is handed over and not waited for, Lambda runs as fast as it
 * has environments (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
 */
export const synchronous = 'synchronous requests'

const puts = z
  .string()
  .optional()
  .describe('the type of what it puts on a bus, whatever it is put for; absent: that of what it is put for')

/** The unit of what an account puts on its buses; what AWS itself puts there is not of it. */
export const putEvents = 'PutEvents'

/**
 * The unit of starts that nobody waits for: those of express machines that somebody does use none of what the account has
 * (https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html).
 */
export const asynchronousStarts = 'StartExecution'

const seconds = z.number().min(0)

/** How a caller tries again: attempts in all, the first wait, its growth, the longest wait, and whether waits are spread. */
const retry = z.object({
  attempts: z.number().min(1),
  interval: seconds,
  backoff: z.number().min(1),
  maxDelay: seconds.optional(),
  jitter: z.boolean(),
  errors: z.array(z.string()).optional().describe('names of errors that it is for; absent: all'),
  from,
})
export type Retry = z.output<typeof retry>

/**
 * What takes time in a run of a state machine: a task, by its path in the definition; a Wait; branches, of which the longest
 * is waited for; or what comes so often one after the other.
 */
const step = z.union([
  z.object({ task: z.string() }),
  z.object({ seconds }),
  z.object({
    get longest(): z.ZodArray<z.ZodArray<typeof step>> {
      return z.array(z.array(step))
    },
  }),
  z.object({
    times: z.number().min(0),
    get steps(): z.ZodArray<typeof step> {
      return z.array(step)
    },
  }),
])
export type Step = z.output<typeof step>

const before = z.object({
  after: z.string().optional().describe('a task, by its path: all before it, and itself'),
  steps: z.array(step).describe('and then these'),
  unknown: z
    .array(z.string())
    .describe('states, by their paths, of which the input decides how often they run, or how long they take'),
})
export type Before = z.output<typeof before>

const common = {
  id: z
    .string()
    .min(1)
    .describe(
      '`<stack>/<logical id>`, of a state `<stack>/<logical id>#<path of states>`, of what is outside `external/<name>`',
    ),
  name: z.string().describe("what people call it: the construct's own name, as short as it is unambiguous"),
  path: z.string().describe('construct path, or the id where the assembly has none'),
  stack: z.string(),
  type: z.string().describe("CloudFormation type; '' for what has none"),
  source: source.optional(),
  laws: z.array(law),
}

const kinds = {
  bus: z.object({}),
  rule: z.object({
    types: z.array(z.string()).nullable().describe('detail types that it takes; null: any'),
    narrower: z
      .boolean()
      .describe(
        'of what comes with such a type, whether the pattern asks for more (then `gain` of its elements is not 1)',
      ),
    buckets: z
      .array(z.string())
      .optional()
      .describe('ids of the buckets of which it takes all, and of no others; absent: it asks for none'),
    enabled: z.boolean(),
  }),
  queue: z.object({
    visibility: seconds,
    retention: seconds,
    delay: seconds,
    fifo: z.boolean(),
    maxReceiveCount: z.int().min(1).optional(),
    deadLetters: z.boolean().describe('the policies of other queues point here'),
  }),
  topic: z.object({ fifo: z.boolean() }),
  function: z.object({
    timeout: seconds,
    memory: z.number(),
    reserved: z.number().min(0).optional(),
    provisioned: z.number().min(0).optional(),
  }),
  workflow: z.object({
    flavour: z.enum(['STANDARD', 'EXPRESS']),
    timeout: seconds.optional(),
    run: before
      .optional()
      .describe('what every run that goes well has passed at its end; absent: the definition is not known'),
  }),
  task: z.object({
    workflow: z.string().describe('the state machine that it is a state of'),
    timeout: seconds.optional(),
    heartbeat: seconds.optional(),
    integration: z
      .enum(['request', 'sync', 'token'])
      .describe(
        'request: goes on when the call is accepted; sync: when the job ends; token: when somebody answers',
      ),
    action: z.string(),
    retries: z.array(retry),
    catches: z.boolean(),
    times: z
      .number()
      .nullable()
      .describe(
        'runs of it for one run of the machine: product of the Maps around it; null: depends on the input',
      ),
    concurrency: z.number().min(0).describe('at once in one run; 0: no limit'),
    before: before
      .optional()
      .describe('what every run that comes to it has passed before; absent: it is the first'),
  }),
  table: z.object({
    billing: z.enum(['on-demand', 'provisioned']),
    readUnits: z.number().optional(),
    writeUnits: z.number().optional(),
  }),
  stream: z.object({ shards: z.number().optional(), retention: seconds }),
  api: z.object({ protocol: z.enum(['HTTP', 'REST', 'WEBSOCKET']), timeout: seconds }),
  schedule: z.object({ perSecond: z.number().min(0), expression: z.string(), enabled: z.boolean() }),
  pipe: z.object({
    enrichment: z
      .string()
      .optional()
      .describe('the node that it asks before it hands on what that has answered'),
  }),
  service: z.object({ desired: z.number(), least: z.number().optional(), most: z.number().optional() }),
  bucket: z.object({}),
  external: z.object({}),
} as const

export type NodeKind = keyof typeof kinds
const nodeOf = <Kind extends NodeKind>(kind: Kind) =>
  z.object({ ...common, kind: z.literal(kind), settings: kinds[kind] })

export const meshNode = z.discriminatedUnion('kind', [
  nodeOf('bus'),
  nodeOf('rule'),
  nodeOf('queue'),
  nodeOf('topic'),
  nodeOf('function'),
  nodeOf('workflow'),
  nodeOf('task'),
  nodeOf('table'),
  nodeOf('stream'),
  nodeOf('api'),
  nodeOf('schedule'),
  nodeOf('pipe'),
  nodeOf('service'),
  nodeOf('bucket'),
  nodeOf('external'),
])
export type MeshNode = z.output<typeof meshNode>
export type NodeOf<Kind extends NodeKind> = Extract<MeshNode, { kind: Kind }>

/** Whether it is a function that Lambda never runs: none of the concurrency is reserved for it. */
export const isOff = (node: MeshNode): boolean => node.kind === 'function' && node.settings.reserved === 0

/** Why what a node handles cannot be held against a limit; undefined: it can, or no such limit is there. */
export function whyNoLimit(node: MeshNode): string | undefined {
  if (isOff(node)) return 'its reserved concurrency is 0: all that comes is throttled'
  const runs = node.kind === 'service' && (node.settings.most ?? node.settings.desired) > 0
  return runs && node.laws.length === 0
    ? 'nobody has said how many requests a task handles at once: say it as Metadata.mesh.atOnce of the service'
    : undefined
}

const between = {
  id: z.string().min(1).describe('`<kind>:<from>><to>`, with `:<n>` behind it where there are several'),
  from: z.string().min(1),
  to: z.string().min(1),
  types: z.array(z.string()).nullable().describe('event types that it carries; null: whatever comes'),
  provenance: z
    .enum(['template', 'declared', 'measured', 'inferred'])
    .describe(
      'template: it stands there; declared: somebody says so; measured: it was seen; inferred: a permission allows it',
    ),
  laws: z.array(law),
}

export const meshElement = z.discriminatedUnion('kind', [
  z
    .object({
      ...between,
      kind: z.literal('delivery'),
      retry,
      maxAge: seconds.describe('seconds after which it gives up'),
      kept: z.boolean().describe('whether what it gives up goes somewhere'),
      filtered: z.boolean().optional().describe('whether it asks more of a message than its type'),
      puts,
    })
    .describe(
      'A service pushes, and goes on without an answer: rule to target, topic to subscription, bucket to listener.',
    ),
  z
    .object({
      ...between,
      kind: z.literal('poll'),
      batch: z.int().min(1),
      window: seconds,
      partialBatch: z.boolean(),
      filtered: z.boolean().describe('what it asks of a message before it takes it'),
      enabled: z.boolean(),
      attempts: z
        .number()
        .min(1)
        .nullable()
        .optional()
        .describe(
          'of a stream, after which attempts and age a record is given up (null: not before it expires); absent: not known',
        ),
      maxAge: seconds.nullable().optional(),
      bisect: z
        .boolean()
        .optional()
        .describe('of a stream: whether a batch that fails is halved; absent: not known'),
    })
    .describe('A poller takes batches from a queue or a stream.'),
  z
    .object({ ...between, kind: z.literal('invoke'), retry, timeout: seconds })
    .describe('Somebody calls and waits for the answer.'),
  z
    .object({
      ...between,
      kind: z.literal('call'),
      action: z.string().describe('such as `sqs:SendMessage`; of a declared one `*`'),
      carries: z
        .boolean()
        .describe(
          'carries on what the load is about (a message, an event), or only uses it (a table that is read)',
        ),
      per: z
        .string()
        .nullable()
        .describe('for each message of this type that `from` handles; null: for each, of whatever type'),
      ratio: z.number().min(0).nullable().describe('how many for each; null: not known'),
      by: z
        .array(z.string())
        .optional()
        .describe('of what is said of a state machine: those of its tasks that send there by its definition'),
      puts,
      retry,
    })
    .describe('Code calls a service: what a handler sends, reads and writes.'),
  z
    .object({
      ...between,
      kind: z.literal('dead-letter'),
      of: z.string(),
      unheard: z.literal(true).optional().describe('it goes where nobody listens, and is kept nowhere'),
    })
    .describe('What failed for good: after so many attempts of the kind that `of` says.'),
])
export type MeshElement = z.output<typeof meshElement>
export type ElementKind = MeshElement['kind']
export type ElementOf<Kind extends ElementKind> = Extract<MeshElement, { kind: Kind }>

/** A finding that somebody has decided to live with: its rule, and what it is found at by name, path or id. */
export const acceptance = z.strictObject({
  rule: z.string(),
  at: z.string(),
  because: z.string().min(1, 'say why it may stay'),
})

export const meshDocument = z.object({
  version: z.literal(meshVersion),
  stacks: z.array(
    z.object({
      name: z.string(),
      region: z
        .string()
        .nullable()
        .describe('null: it may go anywhere, so that the least limits of all regions hold for it'),
      assumed: z.boolean().optional().describe('the template names none, and somebody has said this one'),
    }),
  ),
  nodes: z.array(meshNode),
  elements: z.array(meshElement),
  watched: z
    .record(z.string(), z.array(z.string()))
    .describe('what alarms watch: node id -> names of metrics'),
  told: z
    .array(z.string())
    .optional()
    .describe('what alarms tell, by node id: where nothing else leads there, no event comes in'),
  arrivals: z
    .record(z.string(), z.record(z.string(), z.number().positive()))
    .optional()
    .describe('what resources declare to come to them from outside: node id -> type -> per second'),
  accepted: z
    .array(acceptance.extend({ where: z.string() }))
    .optional()
    .describe('findings that resources declare to be lived with; `where`: by which member of which template'),
  unknown: z
    .array(z.object({ type: z.string(), paths: z.array(z.string()) }))
    .describe('resource types that the model does not know'),
  unresolved: z
    .array(z.object({ at: z.string(), reference: z.string() }))
    .describe('references that could not be followed, each with where it stands'),
})
export type Mesh = z.output<typeof meshDocument>

export const nodesById = ({ nodes }: Pick<Mesh, 'nodes'>): ReadonlyMap<string, MeshNode> =>
  new Map(nodes.map((node) => [node.id, node]))

/** What people call an element: by its two ends. */
export const nameOf = (element: MeshElement, nodes: ReadonlyMap<string, MeshNode>): string =>
  `${nodes.get(element.from)?.name ?? element.from} → ${nodes.get(element.to)?.name ?? element.to}`
