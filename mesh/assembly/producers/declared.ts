import * as z from 'zod'
import type { MeshError } from '../../faults.ts'
import { acceptance, type Mesh } from '../../model.ts'
import { perSecond } from '../../rates-document.ts'
import { type Draft, join } from '../draft/draft.ts'
import { find } from '../draft/find.ts'
import { once } from '../draft/retries.ts'
import { at, json, order, textOf } from '../json.ts'
import { resolve } from '../resolve/intrinsics.ts'
import { faultOf, type Resource, scopeOf } from '../resolve/scope.ts'
import { hasToken, readable } from '../resolve/tokens.ts'

const declaration = z.strictObject({
  sends: z
    .array(
      z.strictObject({
        to: json,
        type: z.string().min(1).default('*'),
        per: z.string().min(1).nullable().default(null),
        /** null: nobody knows how many; 0: none but when something has gone wrong */
        ratio: z.number().min(0).nullable().default(1),
      }),
    )
    .default([]),
  arrivals: z.record(z.string(), perSecond).default({}),
  takes: z.array(z.string().min(1)).optional(),
  /** without `at`: found at the resource itself */
  accepted: z.array(acceptance.partial({ at: true })).default([]),
  /** of a service: requests that one of its tasks handles at once */
  atOnce: z.number().positive().optional(),
})
type Declaration = z.output<typeof declaration>

export type Declared = {
  arrivals: NonNullable<Mesh['arrivals']>
  accepted: NonNullable<Mesh['accepted']>
}

/**
 * What resources say of themselves in `Metadata.mesh`: what they send, in the place of what was inferred between the same
 * two, what comes to them from outside, and which findings may stay. Of a state machine it is in the place of what its
 * tasks send there. Answers the arrivals, per second by node and type, and what is accepted.
 */
export function declare(draft: Draft): Declared {
  const arrivals: Declared['arrivals'] = {}
  const accepted: Declared['accepted'] = []
  for (const resource of draft.world.resources.values()) {
    const said = saidBy(resource)
    if (said === undefined) continue
    if (said.takes !== undefined) refuseTakes(resource)
    refuseTasks(resource, said)
    accepted.push(...acceptedAt(draft, resource, said))
    if (isOfOthers(said)) continue
    const ids = draft.nodes.has(resource.key) ? [resource.key] : (draft.means.get(resource.key) ?? [])
    if (ids.length === 0)
      throw faultOf(
        resource,
        'Metadata.mesh',
        `a ${resource.type} sends nothing: write it at what does, such as a function`,
      )
    for (const from of ids) {
      if (Object.keys(said.arrivals).length > 0) arrivals[from] = said.arrivals
      const replaced = new Map<string, string[]>()
      said.sends.forEach(({ to, type, per, ratio }, index) => {
        for (const target of receivers(draft, resource, to, `Metadata.mesh.sends.${index}.to`)) {
          const of = {
            from,
            to: target,
            types: type === '*' ? null : [type],
            provenance: 'declared' as const,
            laws: [],
          }
          const by = replaced.get(target) ?? replaceOthers(draft, from, target)
          replaced.set(target, by)
          join(draft, {
            ...of,
            kind: 'call',
            action: '*',
            carries: true,
            per,
            ratio,
            ...(by.length > 0 && { by }),
            retry: once('declared'),
          })
        }
      })
    }
  }
  return { arrivals, accepted }
}

function saidBy(resource: Resource): Declaration | undefined {
  const said = at(resource.metadata, 'mesh')
  if (said === undefined) return undefined
  const parsed = declaration.safeParse(said)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw faultOf(
    resource,
    ['Metadata.mesh', ...(issue?.path ?? []).map(String)].join('.'),
    issue?.message ?? '',
  )
}

/** What a resource may say that sends nothing. */
const isOfOthers = ({ sends, arrivals, takes, accepted }: Declaration): boolean =>
  (takes !== undefined || accepted.length > 0) && sends.length === 0 && Object.keys(arrivals).length === 0

/** Whether there is what it names is known when all is that something is found at (comprehensive/accepted.ts). */
function acceptedAt(draft: Draft, resource: Resource, said: Declaration): Declared['accepted'] {
  const { key, stack, logicalId, type, place } = resource
  return said.accepted.map(({ rule, at: named, because }, index) => {
    const path = `Metadata.mesh.accepted.${index}`
    if (named === undefined && !draft.nodes.has(key))
      throw faultOf(resource, `${path}.at`, `a ${type} is no node: say what it is found at`)
    return { rule, at: named ?? place.path, because, where: `${stack.name}: Resources.${logicalId}.${path}` }
  })
}

/** Answers whose they were, of a state machine's tasks. */
function replaceOthers({ nodes, elements }: Draft, from: string, to: string): string[] {
  const by = new Set<string>()
  const isOf = (id: string) => {
    const node = nodes.get(id)
    return id === from || (node?.kind === 'task' && node.settings.workflow === from)
  }
  for (const [key, element] of elements)
    if (
      element.kind === 'call' &&
      element.provenance !== 'declared' &&
      element.carries &&
      element.to === to &&
      isOf(element.from)
    ) {
      elements.delete(key)
      if (element.from !== from) by.add(element.from)
    }
  return [...by].toSorted(order)
}

/** What it takes only a way says, and who makes the way has read it (`typesOf`). */
function refuseTakes(resource: Resource): void {
  const open =
    'AWS::SNS::Subscription' === resource.type && at(resource.properties, 'FilterPolicy') === undefined
  if (open || !ways.has(resource.type))
    throw faultOf(
      resource,
      'Metadata.mesh.takes',
      `a ${resource.type} lets everything pass: write it at one of ${[...ways].join(', ')}`,
    )
}

function refuseTasks(resource: Resource, { atOnce }: Declaration) {
  if (atOnce !== undefined && resource.type !== 'AWS::ECS::Service')
    throw faultOf(resource, 'Metadata.mesh.atOnce', `a ${resource.type} runs no tasks: write it at a service`)
}

const ways: ReadonlySet<string> = new Set([
  'AWS::Lambda::EventSourceMapping',
  'AWS::ApiGatewayV2::Integration',
  'AWS::Events::Rule',
  'AWS::SNS::Subscription',
])

/** The types that a way takes, where it says so in `Metadata.mesh.takes`; null: any. */
export function typesOf({ metadata }: Resource): string[] | null {
  const parsed = declaration.shape.takes.safeParse(at(metadata, 'mesh', 'takes'))
  return parsed.data?.toSorted(order) ?? null
}

/** Requests that a task of a service handles at once, where it says so; undefined: nobody knows. */
export const atOnceOf = ({ metadata }: Resource): number | undefined =>
  declaration.shape.atOnce.safeParse(at(metadata, 'mesh', 'atOnce')).data

/** By reference, id, construct path or name. */
function receivers(draft: Draft, resource: Resource, to: z.output<typeof json>, path: string): string[] {
  const text =
    textOf(resolve(to, scopeOf(draft.world, resource.stack, `Resources.${resource.logicalId}.${path}`))) ?? ''
  const nodes = [...draft.nodes.values()]
  const exact = nodes.filter(({ id, path: own }) => id === text || own === text)
  const found = exact.length > 0 ? exact : nodes.filter(({ name }) => name === text)
  if (found.length === 1) return found.map(({ id }) => id)
  if (found.length > 1)
    throw faultOf(
      resource,
      path,
      `${text} may be ${found.map((node) => node.path).join(' or ')}: give the path`,
    )
  const physical = [...draft.byName].filter(([name]) => name.slice(name.indexOf(':') + 1) === text)
  const ids = physical.flatMap(([, all]) => all)
  if (ids.length === 1) return ids
  const isAddress = hasToken(text) || /^(arn:|https?:)/.test(text)
  const meant = isAddress
    ? find(draft, text, { at: `${resource.place.path}.${path}`, stack: resource.stack })
    : []
  if (meant.length > 0) return meant
  const error: MeshError = faultOf(
    resource,
    path,
    `there is no node ${readable(text)}: give a reference, a path or a name`,
  )
  throw error
}
