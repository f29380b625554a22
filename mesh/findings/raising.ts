import { constantIn } from '../laws/constant-values.ts'
import type { MeshElement, MeshNode } from '../model.ts'
import type { Stress } from '../static/stress.ts'
import type { Facts } from './facts.ts'

/**
 * How room is made for a load that shall keep below a part of a limit, as whoever has the template does it: in whole
 * servers, shards and requests. Not every limit can be raised, and some only AWS raises.
 */
export function raising(facts: Facts, stress: Stress, part: number): string {
  const { node, mesh } = facts
  const { constants } = facts.loaded
  const { at, limit, demand, unit, from } = stress
  const times = demand / part / limit
  const found = node(at)
  if (found !== undefined) return ofNode(facts, found, stress, times) ?? plainly(stress, times)
  const element = mesh.elements.find(({ id }) => id === at)
  if (element !== undefined) return ofElement(element, node(element.from), stress, times, constants)
  if (!at.startsWith('lambda-'))
    return `Have AWS raise the quota ${from} to ${Math.ceil(times * limit)} ${per(unit)}`
  const requests = unit === 'servers' ? 1 : constantIn(constants, 'lambda-requests-per-environment')
  return `Have AWS raise the account's concurrency by ${Math.ceil((times * limit - limit) / requests)}`
}

const per = (unit: string): string => (unit === 'servers' ? 'at once' : `${unit} a second`)

const plainly = ({ name, limit, unit, from }: Stress, times: number): string =>
  `Raise the limit of ${name} (${from}) to ${Math.ceil(times * limit)} ${per(unit)}`

/** What has to come first where more is to be reserved than the account has to reserve; '': nothing. */
export function beforeReserving({ node, nodes, mesh, loaded }: Facts, at: string, enough: number): string {
  const regions = new Map(mesh.stacks.map(({ name, region }) => [name, region]))
  const regionOf = (id: string) => regions.get(node(id)?.stack ?? '')
  const others = nodes('function')
    .filter(({ id }) => id !== at && regionOf(id) === regionOf(at))
    .reduce((sum, { settings }) => sum + (settings.reserved ?? 0), 0)
  const account = constantIn(loaded.constants, 'lambda-concurrency')
  const left = account - constantIn(loaded.constants, 'lambda-unreserved') - others
  return enough <= left
    ? ''
    : `, once AWS has raised the account's concurrency by ${Math.ceil(enough - left)} (of ${account} it has ${Math.max(0, left)} to reserve for it)`
}

function ofNode(
  facts: Facts,
  node: MeshNode,
  { name, limit, unit, from }: Stress,
  times: number,
): string | undefined {
  const enough = Math.ceil(times * limit)
  switch (node.kind) {
    case 'function': {
      // what is reserved brings so many requests each
      const more = Math.ceil(times * (node.settings.reserved ?? limit))
      return `Reserve ${more} for ${name}${beforeReserving(facts, node.id, more)}`
    }
    case 'stream':
      return node.settings.shards === undefined
        ? `Let what comes to ${name} grow slowly, for on demand it takes twice its peak of the last 30 days, or provision shards for ${enough} ${per(unit)}`
        : `Give ${name} ${Math.ceil(times * node.settings.shards)} shards in the place of ${node.settings.shards}`
    case 'table':
      if (node.settings.billing === 'provisioned')
        return `Provision ${enough} ${per(unit)} for ${name}, or bill it on demand`
      // what it gets to by itself, half an hour after it is needed
      return from.startsWith('dynamodb-new-table')
        ? `Warm ${name} up to ${enough} ${per(unit)} (WarmThroughput) before they come`
        : undefined
    case 'queue':
      return unit === 'servers'
        ? `Spread what ${name} takes over ${Math.ceil(times)} queues, or ask AWS for more in flight`
        : undefined
    case 'service': {
      const { desired, most = desired } = node.settings
      return `Let ${name} run up to ${Math.ceil(times * most)} tasks`
    }
    default:
      return undefined
  }
}

/** The largest MaximumConcurrency that CloudFormation takes. */
const mostThatIsSet = 1000

/** How many a poller has at once: as the template says, up to what Lambda does by itself, or one for each shard. */
function ofElement(
  { kind, laws }: MeshElement,
  from: MeshNode | undefined,
  stress: Stress,
  times: number,
  constants: Facts['loaded']['constants'],
): string {
  const { name, limit } = stress
  const enough = Math.ceil(times * limit)
  if (kind !== 'poll') return plainly(stress, times)
  if (from?.kind === 'stream' || from?.kind === 'table')
    return `Let ${name} take up to ${enough} at once, by a larger ParallelizationFactor (10 at most) or more shards of ${from.name}`
  const isProvisioned = laws.some(({ from: says }) => says === 'lambda-poller-per-minute')
  if (!isProvisioned && enough <= mostThatIsSet) return `Set the maximum concurrency of ${name} to ${enough}`
  const pollers = Math.ceil(enough / constantIn(constants, 'lambda-poller-concurrency'))
  return `Let ${name} have up to ${pollers} provisioned pollers (ProvisionedPollerConfig)`
}
