import { append } from '../append.ts'
import { faultsOf } from '../faults.ts'
import { lookupWith } from '../laws/constant-values.ts'
import { type Mesh, meshDocument, meshVersion } from '../model.ts'
import { type Draft, type Handler, type NewElement, unresolved } from './draft/draft.ts'
import { indexNames } from './draft/find.ts'
import { nameAll } from './draft/names.ts'
import { dropUnheard } from './draft/unheard.ts'
import { at, type Json, order, textOf } from './json.ts'
import { type Declared, declare } from './producers/declared.ts'
import { inferCalls } from './producers/iam.ts'
import { refuseCycles } from './read/cycles.ts'
import type { Assembly, Stack } from './read/template.ts'
import { placedIn } from './resolve/region.ts'
import type { Resource } from './resolve/scope.ts'
import { tokensIn } from './resolve/tokens.ts'
import { variantsOf, varied, worldOf } from './resolve/world.ts'
import { alarmHandlers } from './resources/alarms.ts'
import { apiHandlers } from './resources/apis.ts'
import { eventHandlers } from './resources/events.ts'
import { functionHandlers } from './resources/functions.ts'
import { isIgnored } from './resources/ignored.ts'
import { isWhole, machineHandlers } from './resources/machines.ts'
import { queueHandlers } from './resources/queues.ts'
import { schedulerHandlers } from './resources/schedules.ts'
import { serviceHandlers } from './resources/services.ts'
import { sourceHandlers } from './resources/sources.ts'
import { storeHandlers } from './resources/stores.ts'
import { topicHandlers } from './resources/topics.ts'

const handlers: Readonly<Record<string, Handler>> = {
  ...eventHandlers,
  ...queueHandlers,
  ...topicHandlers,
  ...functionHandlers,
  ...sourceHandlers,
  ...machineHandlers,
  ...storeHandlers,
  ...apiHandlers,
  ...schedulerHandlers,
  ...serviceHandlers,
  ...alarmHandlers,
}

export type Options = {
  /** in the place of numbers of laws/constants.ts, by name */
  constants?: Readonly<Record<string, number>>
  /** where stacks go that name no region; without it they have the least limits of all regions */
  region?: string
}

/**
 * The mesh of one or several assemblies: what their templates say, what resources declare in `Metadata.mesh`, and what the
 * permissions of code allow it to send. The same assemblies give the same document. What cannot be followed or is not
 * known is listed in it; what is wrong is a MeshError that names the file, the place in it and what to do.
 */
export function meshOf(
  assemblies: Assembly | readonly Assembly[],
  { constants = {}, region }: Options = {},
): Mesh {
  const given: readonly Assembly[] = 'stacks' in assemblies ? [assemblies] : assemblies
  const { assemblies: all, assumed } = placedIn(given, region)
  const constant = lookupWith(constants)
  for (const { stacks } of all) for (const stack of stacks) refuseCycles(stack)
  const world = worldOf(all)
  const draft: Draft = {
    ...{ world, constant, nodes: new Map(), elements: new Map(), byType: new Map(), helpers: new Set() },
    ...{
      means: new Map(),
      byName: new Map(),
      watched: new Map(),
      told: new Set(),
      unknown: new Map(),
      unresolved: new Map(),
    },
  }
  for (const { newer } of all)
    if (newer !== undefined)
      unresolved(draft, 'manifest.json', `version ${newer} is newer than those known: read as if it were one`)
  collect(draft)
  const each = [...draft.byType.values()].flat()
  for (const { resource, variants } of each)
    handlers[resource.type]?.node?.(draft, resource, variants[0] ?? {})
  indexNames(draft)
  for (const { resource, variants } of each)
    for (const properties of variants) handlers[resource.type]?.link?.(draft, resource, properties)
  for (const { resource, variants } of each)
    handlers[resource.type]?.settle?.(draft, resource, variants[0] ?? {})
  dropUnheard(draft)
  inferCalls(draft, isWhole)
  nameAll(draft)
  const declared = declare(draft)
  nameAll(draft)
  return finished(draft, declared, assumed)
}

/** Resolves all resources that anybody looks at, and lists those that nobody knows. */
function collect(draft: Draft) {
  const { world } = draft
  const resources = [...world.resources.values()].toSorted((a, b) => order(a.key, b.key))
  for (const resource of resources) {
    for (const key of helpersIn(resource)) draft.helpers.add(key)
    const { stack, logicalId, type, place } = resource
    if (type === 'AWS::CloudFormation::Stack' && !stack.nested.has(logicalId))
      unresolved(draft, place.path, 'a nested stack whose template is not in the assembly')
  }
  for (const resource of resources) if (!draft.helpers.has(resource.key)) collectOne(draft, resource)
  for (const { name, template } of world.stacks)
    for (const id of template.generated)
      note(draft.unknown, id.split('::').slice(0, 2).join('::'), `${name}/${id}`)
}

function collectOne(draft: Draft, resource: Resource) {
  const { type, place, properties } = resource
  const handled = handlers[type] !== undefined
  if (!handled && !isIgnored(type, properties)) note(draft.unknown, type, place.path)
  if (!handled && !isLookedAt(type)) return
  const { variants, undecided } = variantsOf(draft.world, resource)
  append(draft.byType, type, { resource, variants })
  if (!handled) return
  if (variants.length > 1)
    unresolved(
      draft,
      place.path,
      `${undecided.join(', ')}: decided at deployment; settings are as if it held`,
    )
  if (undecided.length > varied)
    unresolved(draft, place.path, `${undecided.slice(varied).join(', ')}: followed only as if it held`)
  listMissing(draft, resource, variants)
}

/** Types that make no node or element, and are read where another does. */
const isLookedAt = (type: string): boolean =>
  /^AWS::(IAM::(Role|Policy|ManagedPolicy|RolePolicy)|Lambda::(Alias|Version)|ApiGateway(V2)?::Stage|ApiGatewayV2::Route|ElasticLoadBalancingV2::TargetGroup|ApplicationAutoScaling::|Events::Archive$|CloudWatch::CompositeAlarm$)/.test(
    type,
  )

/** What only deployments run: what custom resources name, and what the CDK's own framework around that waits with. */
function helpersIn({ key, stack, type, place, properties }: Resource): string[] {
  const token = at(properties, 'ServiceToken')
  const named = textOf(at(token, 'Fn::GetAtt', '0')) ?? textOf(at(token, 'Ref'))
  const waits = /\/framework-(isComplete|onTimeout)\/|\/waiter-state-machine\//.test(place.path)
  return [
    ...(named === undefined ? [] : [`${stack.name}/${named}`]),
    ...(waits && !type.startsWith('AWS::IAM') ? [key] : []),
  ]
}

const note = (map: Map<string, Set<string>>, key: string, path: string) =>
  map.set(key, (map.get(key) ?? new Set()).add(path))

function listMissing(draft: Draft, { place }: Resource, variants: readonly Json[]) {
  for (const { key, attribute } of tokensIn(JSON.stringify(variants)))
    if (key === '?' && attribute.endsWith('which is not there')) unresolved(draft, place.path, attribute)
}

function finished(draft: Draft, { arrivals, accepted }: Declared, assumed: ReadonlySet<Stack>): Mesh {
  const lists = (map: Map<string, Set<string>>): [string, string[]][] =>
    [...map]
      .map(([key, set]): [string, string[]] => [key, [...set].toSorted(order)])
      .toSorted(([a], [b]) => order(a, b))
  const mesh: Mesh = {
    version: meshVersion,
    stacks: draft.world.stacks.map((stack) => ({
      ...{ name: stack.name, region: stack.region },
      ...(assumed.has(stack) && { assumed: true }),
    })),
    nodes: [...draft.nodes.values()].toSorted((a, b) => order(a.id, b.id)),
    elements: withIds([...draft.elements.values()]),
    watched: Object.fromEntries(lists(draft.watched)),
    unknown: lists(draft.unknown).map(([type, paths]) => ({ type, paths })),
    unresolved: [...draft.unresolved.values()].toSorted(
      (a, b) => order(a.at, b.at) || order(a.reference, b.reference),
    ),
    ...(draft.told.size > 0 && { told: [...draft.told].toSorted(order) }),
    ...(Object.keys(arrivals).length > 0 && { arrivals }),
    ...(accepted.length > 0 && { accepted: accepted.toSorted((a, b) => order(a.where, b.where)) }),
  }
  const checked = meshDocument.safeParse(mesh)
  if (!checked.success) throw faultsOf('the mesh of the assembly', checked.error)
  return checked.data
}

/** `<kind>:<from>><to>`, those between the same two numbered in the order of what they say. */
function withIds(elements: readonly NewElement[]): Mesh['elements'] {
  const groups = Map.groupBy(elements, ({ kind, from, to }) => `${kind}:${from}>${to}`)
  return [...groups]
    .toSorted(([a], [b]) => order(a, b))
    .flatMap(([id, same]) =>
      same
        .toSorted((a, b) => order(JSON.stringify(a), JSON.stringify(b)))
        .map((element, index) => ({ id: index === 0 ? id : `${id}:${index + 1}`, ...element })),
    )
}
