import { listed } from '../listed.ts'
import type { MeshNode, NodeKind } from '../model.ts'
import { anyType } from '../passing.ts'
import type { Facts, Rule } from './facts.ts'

/** What has metrics of its own that tell of failure; machines are another rule. */
const judged: ReadonlySet<NodeKind> = new Set(['function', 'service', 'queue', 'stream', 'api', 'pipe'])

/** A node that events of a type have to pass, and nobody is told when it stops; low where only part of them go there. */
export const dominatorWithoutAlarm: Rule = function* (facts) {
  const { points, node, loaded } = facts
  const [all, part] = [new Map<string, Set<string>>(), new Map<string, Set<string>>()]
  for (const { at, door, types: sure } of points) {
    const [found, types] = sure.length > 0 ? [all, sure] : [part, [loaded.states[door]?.type ?? anyType]]
    for (const type of types) found.set(at, (found.get(at) ?? new Set()).add(type))
  }
  for (const at of new Set([...all.keys(), ...part.keys()])) {
    const point = node(at)
    if (point === undefined || !judged.has(point.kind) || isCovered(facts, point)) continue
    const sure = all.get(at)
    const what = told(sure ?? part.get(at) ?? new Set())
    yield {
      at,
      severity: sure === undefined ? 'low' : 'medium',
      measured: 0,
      limit: 1,
      unit: 'alarms',
      says:
        sure === undefined
          ? `Of ${what}, what goes by ${point.name} has no other way, and no alarm with an action watches it.`
          : `W${what.slice(1)} has to pass ${point.name}, and no alarm with an action watches it.`,
      mend: `Set an alarm on ${metricOf(point)} of ${point.name}.`,
      from: 'template',
    }
  }
}

function told(types: ReadonlySet<string>): string {
  if (types.has(anyType)) return 'what comes in'
  return `what comes in as ${listed([...types].toSorted())}`
}

/** The address of a function: what it fails at is counted of the function. */
const [url, urlFails] = ['AWS::Lambda::Url', 'Url5xxCount']

/** What AWS counts of it when it stops. */
function metricOf({ kind, settings, type }: MeshNode): string {
  if (type === url) return urlFails
  if (type.startsWith('AWS::ElasticLoadBalancingV2::')) return 'HTTPCode_ELB_5XX_Count'
  if (kind === 'function') return 'Errors'
  if (kind === 'queue') return 'ApproximateAgeOfOldestMessage'
  if (kind === 'stream') return 'GetRecords.IteratorAgeMilliseconds'
  if (kind === 'pipe') return 'ExecutionFailed'
  if (kind === 'service') return 'RunningTaskCount (of Container Insights)'
  const apis = { HTTP: '5xx', REST: '5XXError', WEBSOCKET: 'ExecutionError' }
  return 'protocol' in settings ? apis[settings.protocol] : 'what fails'
}

/** Watched itself, or where what it fails at piles up: its queue, or where dead letters go. */
function isCovered({ watched, arriving, leaving, live, keepsFailures }: Facts, point: MeshNode): boolean {
  const isWatched = (id: string): boolean => watched(id).length > 0
  if (isWatched(point.id) || leaving(point.id, 'dead-letter').some(({ to }) => isWatched(to))) return true
  if (point.type === url) return leaving(point.id, 'invoke').some(({ to }) => watched(to).includes(urlFails))
  // a dead-letter queue that is not watched is a finding already
  if (point.kind === 'queue') return keepsFailures(point)
  return arriving(point.id, 'poll')
    .filter(live)
    .some(({ from }) => isWatched(from) || leaving(from, 'dead-letter').some(({ to }) => isWatched(to)))
}
