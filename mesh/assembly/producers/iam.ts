import { append } from '../../append.ts'
import type { MeshNode } from '../../model.ts'
import { called, keyIn } from '../draft/arns.ts'
import { type Draft, join, ofType, unresolved } from '../draft/draft.ts'
import { find, meant } from '../draft/find.ts'
import { sdkRetry } from '../draft/retries.ts'
import { at, type Json, listOf, textOf, textsOf } from '../json.ts'
import type { Resource } from '../resolve/scope.ts'
import { hasUnknown, readable } from '../resolve/tokens.ts'
import { allowedBy, globbed, isBefore } from './actions.ts'

const serviceOfKind: Readonly<Partial<Record<MeshNode['kind'], string>>> = {
  ...{ queue: 'sqs', topic: 'sns', bus: 'events', function: 'lambda', workflow: 'states', table: 'dynamodb' },
  ...{ stream: 'kinesis', bucket: 's3', service: 'ecs' },
}

/** Member that names the role, by type. */
const roleMembers: Readonly<Record<string, string>> = {
  'AWS::Lambda::Function': 'Role',
  'AWS::StepFunctions::StateMachine': 'RoleArn',
  'AWS::ECS::TaskDefinition': 'TaskRoleArn',
}

/**
 * What code may send, by the permissions of its role: a call for everything that it may send to, write or read, of which
 * nobody knows how often it does. Permissions that come with what stands in the template (to poll, to put away what
 * failed) say nothing about the code. `isWhole`: whether the definition of a state machine says all that it acts on.
 */
export function inferCalls(draft: Draft, isWhole: (draft: Draft, key: string) => boolean) {
  const policies = policiesOf(draft)
  for (const [type, member] of Object.entries(roleMembers))
    for (const { resource, properties } of ofType(draft, type)) {
      if (draft.helpers.has(resource.key)) continue
      const role = roleAt(draft, resource, textOf(at(properties, member)), member)
      const whole = type === 'AWS::StepFunctions::StateMachine' && isWhole(draft, resource.key)
      if (role === undefined || whole) continue
      const own = draft.nodes.has(resource.key)
      const statements = statementsOf(draft, role, policies)
      for (const id of own ? [resource.key] : (draft.means.get(resource.key) ?? []))
        infer(draft, id, statements)
    }
}

/** The key of a role that is named by reference or by ARN; one that is elsewhere is listed. */
function roleAt(
  draft: Draft,
  resource: Resource,
  role: string | undefined,
  member: string,
): string | undefined {
  if (role === undefined) return undefined
  const known = keyIn(role) ?? roleNamed(draft, role)
  if (known === undefined) unresolved(draft, `${resource.place.path}.${member}`, role)
  return known
}

const roleNamed = (draft: Draft, arn: string): string | undefined => {
  const name = arn.split('/').at(-1)
  return ofType(draft, 'AWS::IAM::Role').find(({ properties }) => textOf(at(properties, 'RoleName')) === name)
    ?.resource.key
}

type Statement = { of: Resource; statement: Json }

type Policies = Record<'byKey' | 'byRole', Map<string, Statement[][]>>

const statementsIn = (of: Resource, document: Json | undefined): Statement[] =>
  listOf(at(document, 'Statement')).map((statement) => ({ of, statement }))

/** What stands in each policy, by its key, and by the key or the name of each role that it is for. */
function policiesOf(draft: Draft): Policies {
  const policies: Policies = { byKey: new Map(), byRole: new Map() }
  for (const { resource, properties } of ofType(
    draft,
    ...['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy', 'AWS::IAM::RolePolicy'],
  )) {
    const statements = statementsIn(resource, at(properties, 'PolicyDocument'))
    append(policies.byKey, resource.key, statements)
    for (const role of [...listOf(at(properties, 'Roles')), ...listOf(at(properties, 'RoleName'))]) {
      const text = textOf(role) ?? ''
      append(policies.byRole, keyIn(text) ?? text, statements)
    }
  }
  return policies
}

/** Everything that a role is allowed, in whatever policy. */
function statementsOf(draft: Draft, role: string, policies: Policies): Statement[] {
  const own = (draft.byType.get('AWS::IAM::Role') ?? [])
    .filter(({ resource }) => resource.key === role)
    .flatMap(({ resource, variants }) => variants.map((properties) => ({ resource, properties })))
  const arns = own.flatMap(({ properties }) => textsOf(at(properties, 'ManagedPolicyArns')))
  for (const { resource } of own)
    for (const arn of arns)
      if (keyIn(arn) === undefined && !arn.includes(':policy/service-role/'))
        unresolved(draft, `${resource.place.path}.ManagedPolicyArns`, arn)
  const inline = own.flatMap(({ resource, properties }) =>
    listOf(at(properties, 'Policies')).flatMap((policy) =>
      statementsIn(resource, at(policy, 'PolicyDocument')),
    ),
  )
  const given = textOf(at(own[0]?.properties, 'RoleName'))
  const beside = new Set([
    ...arns.flatMap((arn) => policies.byKey.get(keyIn(arn) ?? '') ?? []),
    ...(policies.byRole.get(role) ?? []),
    ...(given === undefined ? [] : (policies.byRole.get(given) ?? [])),
  ])
  return [...inline, ...[...beside].flat()]
}

type GrantedUse = { to: string; use: 'carries' | 'uses' | 'consumes'; action: string }

function infer(draft: Draft, id: string, statements: readonly Statement[]) {
  /** target and use -> the most usual action */
  const found = new Map<string, GrantedUse>()
  for (const one of statements.flatMap((statement) => foundIn(draft, statement))) {
    const key = `${one.to}\n${one.use}`
    const known = found.get(key)
    if (known === undefined || isBefore(one.action, known.action)) found.set(key, one)
  }
  for (const one of found.values()) {
    // who may do both either fills it or empties it: to take it for both would be a loop that nobody wrote
    const both = found.has(`${one.to}\ncarries`) && one.use === 'consumes' && receives(draft, id, one.to)
    if (both)
      unresolved(draft, draft.nodes.get(id)?.path ?? id, `${one.action} on ${one.to}, where it may send too`)
    else joinFound(draft, id, one)
  }
}

function foundIn(draft: Draft, { of, statement }: Statement): GrantedUse[] {
  if (at(statement, 'Effect') !== 'Allow') return []
  for (const member of ['NotAction', 'NotResource'])
    if (at(statement, member) !== undefined) unresolved(draft, of.place.path, `${member} in a statement`)
  const actions = textsOf(at(statement, 'Action'))
  if (actions.includes('*')) unresolved(draft, of.place.path, 'every action')
  return actions
    .flatMap(allowedBy)
    .flatMap(({ action, use }) =>
      textsOf(at(statement, 'Resource')).flatMap((text) =>
        targets(draft, of, action, text).map((to) => ({ to, use, action })),
      ),
    )
}

function joinFound(draft: Draft, id: string, { to, use, action }: GrantedUse) {
  const of = { from: id, to, types: null, provenance: 'inferred' as const, laws: [] }
  if (use !== 'consumes') {
    if (use === 'carries' && isImplied(draft, id, to)) return
    const rest = { per: null, ratio: null, retry: sdkRetry(draft) }
    join(draft, { ...of, kind: 'call', action, carries: use === 'carries', ...rest })
  } else if (receives(draft, id, to)) {
    // what may receive is what empties the queue; how many at once only its code says
    const rest = { batch: 1, window: 0, partialBatch: true, filtered: false, enabled: true }
    join(draft, { ...of, kind: 'poll', from: to, to: id, ...rest })
  }
}

/**
 * Whether a permission to receive means that code polls: of a service it does; of a function where no event source takes
 * from there, which is what most have the permission for, and not where what failed is kept, which is put back by hand.
 */
function receives({ nodes, elements }: Draft, id: string, from: string): boolean {
  const [taker, source] = [nodes.get(id), nodes.get(from)]
  if (taker?.kind === 'service') return true
  if (taker?.kind !== 'function' || (source?.kind === 'queue' && source.settings.deadLetters)) return false
  return ![...elements.values()].some(
    (element) => element.kind === 'poll' && element.from === from && element.provenance === 'template',
  )
}

/** The nodes of the action's service that a resource of a statement means. */
function targets(draft: Draft, of: Resource, action: string, text: string): string[] {
  const [service = ''] = action.split(':')
  const where = { at: of.place.path, stack: of.stack, service }
  const isOf = (id: string) => {
    const kind = draft.nodes.get(id)?.kind
    return kind === 'external'
      ? draft.nodes.get(id)?.type === ''
      : kind !== undefined && serviceOfKind[kind] === service
  }
  const key = keyIn(text)
  if (key !== undefined) {
    const isNode =
      draft.nodes.has(key) ||
      draft.means.has(key) ||
      /^AWS::Lambda::/.test(draft.world.resources.get(key)?.type ?? '')
    return isNode ? meant(draft, key, where).filter(isOf) : []
  }
  const arn = called(text)
  const everything = text === '*' || arn?.name === '*' || arn?.name === ''
  if (everything && (arn === undefined || arn.service === service || arn.service === '*')) {
    unresolved(draft, of.place.path, `${action} on ${readable(text)}`)
    return []
  }
  if (arn === undefined || arn.service !== service || hasUnknown(text)) {
    if (hasUnknown(text)) unresolved(draft, of.place.path, `${action} on ${readable(text)}`)
    return []
  }
  if (!/[*?]/.test(arn.name) || keyIn(arn.name) !== undefined) return find(draft, text, where).filter(isOf)
  const pattern = globbed(arn.name)
  const names = [...draft.byName].filter(
    ([name]) => name.startsWith(`${service}:`) && pattern.test(name.slice(service.length + 1)),
  )
  if (names.length === 0) unresolved(draft, of.place.path, `${action} on ${readable(text)}`)
  return names.flatMap(([, ids]) => ids)
}

/** Whether a template's own element asks for the permission: what failed is put away by whoever polls or invokes. */
function isImplied({ elements }: Draft, from: string, to: string): boolean {
  const all = [...elements.values()]
  const senders = new Set([
    from,
    ...all.flatMap((of) => (of.kind === 'poll' && of.to === from ? [of.from] : [])),
  ])
  return all.some(
    (element) =>
      element.to === to &&
      senders.has(element.from) &&
      (element.kind === 'dead-letter' || element.kind === 'delivery'),
  )
}
