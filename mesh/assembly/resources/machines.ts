import { MeshError, parseJson } from '../../faults.ts'
import { asynchronousStarts, type Law } from '../../model.ts'
import { deliver } from '../draft/deliver.ts'
import { base, type Draft, type Handler, join, ofType, put, sharedIn, unresolved } from '../draft/draft.ts'
import { external, find } from '../draft/find.ts'
import { once } from '../draft/retries.ts'
import { at, entriesOf, type Json, json, textOf } from '../json.ts'
import { carries, isModelled } from '../producers/actions.ts'
import { faultOf, type Resource } from '../resolve/scope.ts'
import { hasUnknown, plain } from '../resolve/tokens.ts'
import {
  type Fault,
  generalRetry,
  type Integration,
  integrationOf,
  numberOf,
  retriesOf,
} from '../states/task.ts'
import { isDefinition, type Limits, runOf, type Task, tasksIn } from '../states/walk.ts'

export const machineHandlers: Record<string, Handler> = {
  'AWS::StepFunctions::StateMachine': { node: machine, link: linkTasks },
}

/** The definition with what is substituted in it; undefined: nobody here has it, which is listed. */
function definitionOf(draft: Draft, resource: Resource, properties: Json): Json | undefined {
  const where = `${resource.place.path}.DefinitionString`
  const object = at(properties, 'Definition')
  const kept = resource.stack.definitions.get(resource.logicalId)
  const raw =
    object === undefined ? (textOf(at(properties, 'DefinitionString')) ?? kept) : JSON.stringify(object)
  if (raw === undefined) {
    unresolved(draft, where, 'a definition that lies outside of the assembly')
    return undefined
  }
  const substitutes = new Map(entriesOf(at(properties, 'DefinitionSubstitutions')))
  const clean = raw === kept ? plain(raw) : raw
  const text = clean.replaceAll(
    /\$\{([^}]+)\}/g,
    (whole, name: string) => textOf(substitutes.get(name)) ?? whole,
  )
  const says = (what: string) => faultOf(resource, 'Properties.DefinitionString', what)
  let value: unknown
  try {
    value = parseJson('the definition', text)
  } catch (error) {
    if (hasUnknown(text)) {
      unresolved(draft, where, 'a definition that is put together at deployment')
      return undefined
    }
    throw error instanceof MeshError ? says(error.message) : error
  }
  const parsed = json.safeParse(value)
  if (parsed.success && isDefinition(parsed.data)) return parsed.data
  throw says('expected a definition in the Amazon States Language, with States')
}

function machine(draft: Draft, resource: Resource, properties: Json) {
  const { constant } = draft
  const { region } = resource.stack
  const express = textOf(at(properties, 'StateMachineType')) === 'EXPRESS'
  const kind = express ? 'states-express-start' : 'states-start'
  const unit = express ? asynchronousStarts : 'requests'
  const [rate, burst] = [constant(`${kind}-rate`, region), constant(`${kind}-burst`, region)]
  const law: Law = {
    ...{ law: 'tokens', rate: rate.value, burst: burst.value, unit, over: 'refuse' },
    ...{ shared: sharedIn(draft, kind, resource.stack), from: rate.from },
  }
  const definition = definitionOf(draft, resource, properties)
  const own = at(definition, 'TimeoutSeconds')
  const timeout =
    typeof own === 'number' ? own : express ? constant('states-express-timeout').value : undefined
  const flavour = express ? 'EXPRESS' : 'STANDARD'
  const run = definition === undefined ? undefined : runOf(definition, limitsOf(draft))
  const settings = {
    flavour,
    ...(timeout !== undefined && { timeout }),
    ...(run !== undefined && { run }),
  } as const
  put(draft, { ...base(resource), kind: 'workflow', settings, laws: [law] })
  for (const task of definition === undefined ? [] : tasksOf(draft, definition))
    putTask(draft, resource, task)
}

const limitsOf = ({ constant }: Draft): Limits => ({
  inline: constant('states-inline-concurrency').value,
  distributed: constant('states-distributed-concurrency').value,
})

const tasksOf = (draft: Draft, definition: Json): Task[] => tasksIn(definition, limitsOf(draft))

const idOf = ({ key }: Resource, { path }: Task): string => `${key}#${path.join('/')}`

/** A number of seconds; an expression is one that only the run knows. */
function secondsOf(draft: Draft, where: string, state: Json, name: string, fault: Fault): number | undefined {
  const seconds = numberOf(state, name, 0, fault)
  if (seconds !== undefined) return seconds
  const value = at(state, name)
  const expression = textOf(value) ?? textOf(at(state, `${name}Path`))
  if (expression !== undefined) unresolved(draft, `${where}.${name}`, expression)
  return undefined
}

function putTask(draft: Draft, resource: Resource, task: Task) {
  const { state, times, concurrency, before } = task
  const isFirst = before.after === undefined && before.steps.length + before.unknown.length === 0
  const path = `${resource.place.path}#${task.path.join('/')}`
  const fault: Fault = (inside, says) =>
    faultOf(resource, 'Properties.DefinitionString', `States.${task.path.join('.')}.${inside}: ${says}`)
  const timeout = secondsOf(draft, path, state, 'TimeoutSeconds', fault)
  const heartbeat = secondsOf(draft, path, state, 'HeartbeatSeconds', fault)
  const { mode, action } = integrationOf(state)
  put(draft, {
    ...{ ...base(resource), id: idOf(resource, task), path, type: '', kind: 'task', laws: [] },
    settings: {
      workflow: resource.key,
      ...(timeout !== undefined && { timeout }),
      ...(heartbeat !== undefined && { heartbeat }),
      ...{ integration: mode, action, retries: retriesOf(state, draft.constant, fault), times, concurrency },
      catches: at(state, 'Catch', '0') !== undefined,
      ...(!isFirst && { before }),
    },
  })
}

/** What ends a task that has no end of its own. */
const unended = ['states-task-timeout', 'states-execution-time']

function linkTasks(draft: Draft, resource: Resource, properties: Json) {
  const definition = definitionOf(draft, resource, properties)
  for (const task of definition === undefined ? [] : tasksOf(draft, definition)) {
    const id = idOf(resource, task)
    // of a definition that depends on a condition there may be tasks that the first way did not have
    if (!draft.nodes.has(id)) putTask(draft, resource, task)
    const node = draft.nodes.get(id)
    if (node?.kind !== 'task') continue
    const { timeout = Math.min(...unended.map((name) => draft.constant(name).value)) } = node.settings
    const of = { types: null, provenance: 'template' as const, laws: [], timeout }
    join(draft, { ...of, kind: 'invoke', from: resource.key, to: id, retry: once('template') })
    linkTask(draft, resource, { id, path: node.path, state: task.state })
  }
}

function linkTask(
  draft: Draft,
  resource: Resource,
  { id, path, state }: { id: string; path: string; state: Json },
) {
  const done = integrationOf(state)
  const node = draft.nodes.get(id)
  if (node?.kind !== 'task') return
  const retry = generalRetry(node.settings.retries) ?? once('template')
  for (const expression of done.dynamic) unresolved(draft, `${path}.${done.action}`, expression)
  for (const { to, count } of reached(draft, resource, path, done)) {
    const target = draft.nodes.get(to)
    const of = { from: id, to, provenance: 'template' as const, laws: [], retry }
    if (done.action === 'lambda:InvokeAsync' && target?.kind === 'function')
      // handed over as an event: Lambda tries it, and the state goes on
      deliver(draft, { from: id, to, retry, maxAge: 0, kept: true })
    else if (done.service === 'lambda' && target !== undefined) {
      const limit = target.kind === 'function' ? target.settings.timeout : 0
      join(draft, { ...of, kind: 'invoke', types: null, timeout: node.settings.timeout ?? limit })
    } else {
      const carried = carries(done.action)
      join(draft, {
        ...{
          ...of,
          kind: 'call',
          types: done.types,
          action: done.action,
          carries: carried,
          per: null,
          ratio: count,
        },
      })
    }
  }
}

/** The nodes that a task acts on. A service that the model does not have is one outside, by its name. */
function reached(draft: Draft, resource: Resource, path: string, done: Integration) {
  const { service, targets, dynamic } = done
  const where = { at: `${path}.${done.action}`, stack: resource.stack, service }
  const found = targets.flatMap(({ text, count }) => find(draft, text, where).map((to) => ({ to, count })))
  const outside = targets.length === 0 && dynamic.length === 0 && !isModelled(service)
  if (targets.length === 0 && dynamic.length === 0 && !outside)
    unresolved(draft, where.at, 'a task that does not say on what')
  return outside ? [{ to: external(draft, service), count: 1 }] : found
}

/** Whether all that a machine's tasks act on is in its definition: then its permissions say nothing more. */
export function isWhole(draft: Draft, key: string): boolean {
  return ofType(draft, 'AWS::StepFunctions::StateMachine').every(({ resource, properties }) => {
    if (resource.key !== key) return true
    const definition = definitionOf(draft, resource, properties)
    return (
      definition !== undefined &&
      tasksOf(draft, definition).every(({ state }) => integrationOf(state).dynamic.length === 0)
    )
  })
}
