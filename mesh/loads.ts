import * as z from 'zod'
import { append } from './append.ts'
import { MeshError } from './faults.ts'
import type { Mesh, MeshNode } from './model.ts'
import { nearest } from './nearest.ts'
import { parseRates } from './rates-document.ts'
import type { Role } from './roles.ts'

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

/** Times as they were written, with or without a unit. */
const written = z.object({
  service: z.record(z.string(), z.object({ mean: z.unknown() })).default({}),
})

/** Reads loads for a mesh; nodes may go by id, construct path or name. `where` names the file in errors. */
export function parseLoads(where: string, value: unknown, mesh: Mesh): Loads {
  const data = parseRates(where, value)
  const given = written.parse(value)
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
    read: (given: Given, node: MeshNode, reference: string) => Read,
  ) => {
    const all = new Map<string, Read>()
    const names = new Map<string, string>()
    for (const [reference, entry] of Object.entries(given)) {
      const found = node(`${member}.${reference}`, reference)
      if (found === undefined) continue
      const before = names.get(found.id)
      if (before !== undefined)
        faults.push(`${member}.${reference}: it is the same node as ${before}: name it once`)
      if (found.kind === 'queue' && ofHandlers.has(member))
        faults.push(
          `${member}.${reference}: ${found.path} is a queue, which only keeps: say it of ${takersOf(mesh, found)}`,
        )
      names.set(found.id, reference)
      all.set(found.id, read(entry, found, reference))
    }
    return all
  }
  const types = (given: Record<string, number>) => new Map(Object.entries(given))
  const loads: Loads = {
    constants: data.constants,
    arrivals: byNode('arrivals', data.arrivals, types),
    service: byNode('service', data.service, ({ mean, scv, batch, each }, found, reference) => {
      const fault = tooLong(mesh, found, {
        mean,
        unitless: typeof given.service[reference]?.mean === 'number',
      })
      if (fault !== undefined) faults.push(`service.${found.name}.mean: ${fault}`)
      // by what rounding to four digits makes of it
      if (each !== undefined && each * (batch ?? 1) > mean * 1.001)
        faults.push(
          `service.${found.name}.each: ${batch ?? 1} messages of ${each} s take longer than the ${mean} s of an invocation`,
        )
      const most = largestBatchTo(mesh, found)
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
  for (const node of nodes) {
    for (const key of new Set([node.id, node.path])) append(exact, key, node)
    append(byName, node.name, node)
    append(byConstruct, node.path.replace(/\/(Resource|Default)$/, ''), node)
  }
  return (reference) => exact.get(reference) ?? byName.get(reference) ?? byConstruct.get(reference) ?? []
}

/** Members that say something of what handles messages. */
const ofHandlers: ReadonlySet<string> = new Set(['service', 'failures'])

function takersOf({ nodes, elements }: Mesh, { id }: MeshNode): string {
  const takers = elements.flatMap(({ kind, from, to }) => (kind === 'poll' && from === id ? [to] : []))
  const names = nodes.flatMap((node) => (takers.includes(node.id) ? [node.name] : []))
  return names.length === 0 ? 'what takes from it' : names.join(' or ')
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
function largestBatchTo({ elements }: Mesh, { id }: MeshNode): number {
  const batches = elements.flatMap((each) => (each.kind === 'poll' && each.to === id ? [each.batch] : []))
  return batches.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...batches)
}

/** What takes longer than it may: a number alone has most likely another unit. */
function tooLong(
  { unresolved }: Mesh,
  node: MeshNode,
  { mean, unitless }: { mean: number; unitless: boolean },
): string | undefined {
  if (node.kind !== 'function' || mean <= node.settings.timeout) return undefined
  // one that only a deployment knows is none to hold it against
  if (unresolved.some(({ at }) => at === `${node.path}.Timeout`)) return undefined
  const { timeout } = node.settings
  const meant = unitless && mean / 1000 < timeout ? `; numbers are seconds: did you mean ${mean}ms?` : ''
  return `${mean} s is longer than the function's timeout of ${timeout} s${meant}`
}
