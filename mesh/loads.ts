import * as z from 'zod'
import { faultsOf, MeshError } from './faults.ts'
import { acceptance, type Mesh, type MeshNode } from './model.ts'
import { nearest } from './nearest.ts'
import { type Role, role } from './roles.ts'

/** `40ms`, `2s`, `5min` as seconds. */
const spans: Readonly<Record<string, number>> = { ms: 0.001, s: 1, min: 60, h: 3600 }
/** `4/s`, `120/min`, `1000/h` as per second. */
const paces: Readonly<Record<string, number>> = { '/s': 1, '/min': 1 / 60, '/h': 1 / 3600, '/d': 1 / 86_400 }

const measure = (units: Readonly<Record<string, number>>, expected: string) =>
  z
    .union(
      [
        z.number().meta({ exclusiveMinimum: 0 }),
        z.string().meta({ pattern: `^[\\d.]+ ?(${Object.keys(units).join('|')})$` }),
      ],
      { error: `expected ${expected}` },
    )
    .meta({ description: expected })
    .transform((given, context) => {
      const [, digits, unit] = /^([\d.]+) ?([a-z/]+)$/.exec(String(given)) ?? []
      const factor = units[unit ?? '']
      const value = typeof given === 'number' ? given : Number(digits) * (factor ?? Number.NaN)
      if (Number.isFinite(value) && value > 0) return value
      context.issues.push({
        code: 'custom',
        input: given,
        message: `expected ${expected}, not ${JSON.stringify(given)}`,
      })
      return z.NEVER
    })

const seconds = measure(spans, 'seconds above 0, such as 0.04 or 40ms')
export const perSecond = measure(
  paces,
  'a rate above 0: a number per second, or 120/min; leave out what does not come',
)
const part = z.number().min(0, 'a part is 0 or more').max(1, 'a part is at most 1: 0.01 for one in a hundred')
const targetPart = part.gt(0, 'expected a part above 0: nothing can be held against 0')

/** A file of rates, as people write it. */
export const ratesDocument = z.strictObject({
  version: z.literal(1, { error: 'expected version: 1' }),
  constants: z.record(z.string(), z.number().positive('expected a number above 0')).default({}),
  arrivals: z.record(z.string(), z.record(z.string(), perSecond)).default({}),
  service: z
    .record(
      z.string(),
      z.strictObject({
        mean: seconds,
        scv: z.number().min(0).default(1),
        batch: z.number().min(1).optional(),
        each: z
          .union([z.literal(0), seconds], { error: 'expected seconds of 0 or more, such as 4ms' })
          .optional(),
      }),
    )
    .default({}),
  failures: z.record(z.string(), part).default({}),
  sends: z
    .array(
      z.strictObject({
        from: z.string(),
        to: z.string(),
        type: z.string().default('*'),
        per: z.string().optional(),
        ratio: z.number().min(0, 'expected 0 or more').default(1),
        reads: z.boolean().default(false),
        measured: z.boolean().default(false),
      }),
    )
    .default([]),
  measured: z.record(z.string(), z.record(z.string(), perSecond)).default({}),
  accepted: z.array(acceptance).default([]),
  /** what somebody expects of the load, by role; shown beside what is computed */
  shares: z
    .partialRecord(role, part)
    .refine(
      (given) => Object.values(given).reduce((sum, share) => sum + share, 0) <= 1.000_001,
      'they add up to more than 1',
    )
    .default({}),
  /** what the score's limit states are held against */
  targets: z
    .strictObject({
      utilisation: targetPart.exactOptional(),
      latency: seconds.exactOptional(),
      loss: targetPart.exactOptional(),
      stopped: targetPart.exactOptional(),
      recovery: seconds.exactOptional(),
    })
    .default({}),
})

export type Service = {
  /** of one invocation or request, seconds */
  mean: number
  /** squared coefficient of variation */
  scv: number
  /** messages an invocation; undefined: not known */
  batch: number | undefined
  /** of the mean, what each message takes, seconds: the rest is of the invocation; undefined: not known */
  each?: number | undefined
}

/**
 * What is known about a mesh beside its template, by node id: what comes from outside, how long things take, how often
 * they fail, who sends what, and what was measured inside. docs/mesh.md has the notation.
 */
export type Loads = {
  constants: Readonly<Record<string, number>>
  /** per second, by node and type */
  arrivals: ReadonlyMap<string, ReadonlyMap<string, number>>
  service: ReadonlyMap<string, Service>
  /** the part of attempts that fails and is worth another */
  failures: ReadonlyMap<string, number>
  /** `per`: for each message of this type, or of any */
  sends: readonly {
    from: string
    to: string
    type: string
    per: string | null
    ratio: number
    /** of a table or a bucket: it is read, not written */
    reads: boolean
    measured: boolean
  }[]
  measured: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** findings to live with */
  accepted: NonNullable<Mesh['accepted']>
  /** expected parts of the load, by role */
  shares: Readonly<Partial<Record<Role, number>>>
  /** in the place of the usual targets of the score */
  targets: Readonly<Partial<Targets>>
}

/** What the limit states of the score are held against. */
export type Targets = {
  /** of any limit, so that waiting stays short */
  utilisation: number
  /** seconds from the door to the end of the last handling, 99 of a hundred */
  latency: number
  /** the part of what comes in that is refused at its door, or accepted and then kept nowhere */
  loss: number
  /** the part of what comes in that single points stop at first, each for as long as it may not work */
  stopped: number
  /** seconds until all is done that an outage left behind */
  recovery: number
}

export const noLoads: Loads = {
  constants: {},
  arrivals: new Map(),
  service: new Map(),
  failures: new Map(),
  sends: [],
  measured: new Map(),
  accepted: [],
  shares: {},
  targets: {},
}

/** What a file of rates says, by whatever names. `where` names the file in errors. */
export function parseRates(where: string, value: unknown): z.output<typeof ratesDocument> {
  const parsed = ratesDocument.safeParse(value)
  if (!parsed.success) throw faultsOf(where, parsed.error)
  return parsed.data
}

/** Reads loads for a mesh; nodes may go by id, construct path or name. `where` names the file in errors. */
export function parseLoads(where: string, value: unknown, mesh: Mesh): Loads {
  const data = parseRates(where, value)
  const faults: string[] = []
  const named = nodesNamed(mesh)
  const node = (path: string, reference: string): MeshNode | undefined => {
    const found = named(reference)
    const [only] = found
    if (found.length === 1) return only
    faults.push(`${path}: ${found.length === 0 ? noSuch(mesh, reference) : ambiguous(reference, found)}`)
    return undefined
  }
  const byNode = <Given, Read>(
    member: string,
    given: Record<string, Given>,
    read: (given: Given, node: MeshNode) => Read,
  ) => {
    const all = new Map<string, Read>()
    for (const [reference, entry] of Object.entries(given)) {
      const found = node(`${member}.${reference}`, reference)
      if (found !== undefined) all.set(found.id, read(entry, found))
    }
    return all
  }
  const types = (given: Record<string, number>) => new Map(Object.entries(given))
  const loads: Loads = {
    constants: data.constants,
    arrivals: byNode('arrivals', data.arrivals, types),
    service: byNode('service', data.service, ({ mean, scv, batch, each }, found) => {
      const fault = tooLong(mesh, found, mean)
      if (fault !== undefined) faults.push(`service.${found.name}.mean: ${fault}`)
      // by what rounding to four digits makes of it
      if (each !== undefined && each * (batch ?? 1) > mean * 1.001)
        faults.push(
          `service.${found.name}.each: ${batch ?? 1} messages of ${each} s take longer than the ${mean} s of an invocation`,
        )
      const most = mostAtOnce(mesh, found)
      if (batch !== undefined && batch > most)
        faults.push(
          `service.${found.name}.batch: ${batch} messages an invocation, and its polls bring ${most} at most`,
        )
      return { mean, scv, batch, each }
    }),
    failures: byNode('failures', data.failures, (rate) => rate),
    measured: byNode('measured', data.measured, types),
    accepted: data.accepted.map((one, index) => ({ ...one, where: `${where}: accepted.${index}` })),
    shares: data.shares,
    targets: data.targets,
    sends: data.sends.flatMap(({ from, to, per, ...send }, index) => {
      const [sender, receiver] = [node(`sends.${index}.from`, from), node(`sends.${index}.to`, to)]
      return sender === undefined || receiver === undefined
        ? []
        : [{ ...send, from: sender.id, to: receiver.id, per: per ?? null }]
    }),
  }
  if (faults.length > 0) throw new MeshError(`${where}: ${faults.join('\n  ')}`)
  return loads
}

/**
 * Everything that a reference may mean: an id or a path first, then a name, then a path without the `Resource` at its end,
 * which stays what it is when another stage is analysed beside it.
 */
export function nodesNamed({ nodes }: Mesh): (reference: string) => readonly MeshNode[] {
  const exact = new Map<string, MeshNode[]>()
  const byName = new Map<string, MeshNode[]>()
  const byConstruct = new Map<string, MeshNode[]>()
  const add = (to: Map<string, MeshNode[]>, key: string, node: MeshNode) => {
    const known = to.get(key)
    if (known === undefined) to.set(key, [node])
    else known.push(node)
  }
  for (const node of nodes) {
    for (const key of new Set([node.id, node.path])) add(exact, key, node)
    add(byName, node.name, node)
    add(byConstruct, node.path.replace(/\/(Resource|Default)$/, ''), node)
  }
  return (reference) => exact.get(reference) ?? byName.get(reference) ?? byConstruct.get(reference) ?? []
}

const ambiguous = (reference: string, found: readonly MeshNode[]): string =>
  `${reference} may be ${found.map(({ path, kind }) => `${path} (${kind})`).join(' or ')}: give the path`

function noSuch({ nodes }: Mesh, reference: string): string {
  const wanted = reference.toLowerCase()
  const holding = nodes
    .filter(({ name, path }) => path.toLowerCase().includes(wanted) || wanted.includes(name.toLowerCase()))
    .map(({ name }) => name)
  const alike = nearest(
    reference,
    nodes.map(({ name }) => name),
  )
  const near = [...new Set([...alike, ...holding])].slice(0, 5)
  return `there is no node ${reference}${near.length === 0 ? '' : `; near it: ${near.join(', ')}`}. loadpath mesh model lists all`
}

/** Messages that come in one invocation, by the polls that lead to a node; Infinity: by none. */
function mostAtOnce({ elements }: Mesh, { id }: MeshNode): number {
  const batches = elements.flatMap((each) => (each.kind === 'poll' && each.to === id ? [each.batch] : []))
  return batches.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...batches)
}

/** What takes longer than it may has most likely another unit. */
function tooLong({ unresolved }: Mesh, node: MeshNode, mean: number): string | undefined {
  if (node.kind !== 'function' || mean <= node.settings.timeout) return undefined
  // one that only a deployment knows is none to hold it against
  if (unresolved.some(({ at }) => at === `${node.path}.Timeout`)) return undefined
  const { timeout } = node.settings
  return `${mean} s is longer than the function's timeout of ${timeout} s; numbers are seconds: did you mean ${mean}ms?`
}
