import type { Loaded } from '../load.ts'
import type { Service } from '../loads.ts'
import { isOff, type MeshElement, type MeshNode, nodesById } from '../model.ts'
import { erlangB } from '../queueing/erlang.ts'
import { waiting } from '../queueing/waiting.ts'
import { type Backoff, backoffOf, type Pauses, pausesIn } from './backoff.ts'
import { gatheringOf, metBy, serversOf, stationsOf } from './batches.ts'
import type { Demand, Demands } from './demand.ts'
import { fatesOf, type GivenUp } from './given-up.ts'
import type { Refusals } from './refusals.ts'
import { type Anew, extrasOver } from './retry-delays.ts'
import { added, type Extra, extrasOf, instant, lognormal, type Moments, momentsOf } from './times.ts'
import { attemptsOver } from './tries.ts'

/** What happens to a message on its way over an element, up to where its target begins with it. */
export type Passage = {
  /** on the way and waiting; null: the queue grows without end */
  delay: Moments | null
  /** what its target then takes with it, where that depends on who comes with it */
  handling?: Moments
  /** and beside it: in the queue's own delay, until its batch is gathered, and between attempts that fail */
  extras: readonly Extra[]
  /** throttled attempts come again later: the delay is the least that it can be */
  isLeast: boolean
  /** the part that is refused at the first attempt */
  refused: number
  /** what becomes of it when all attempts are used up */
  givenUp: GivenUp
  /** the part of which that is the fate; of what is answered, the part that is refused in the end */
  lost: number
  /** the part that is deleted where it waits, whatever keeps what fails */
  expired: number
}

/** Latency of the way, the wait for a server at its end, and what does not get there, by element id. */
export function passagesOf(
  { mesh, service, occupancy, failures, constants }: Loaded,
  demands: Demands,
  refusals: Refusals,
): ReadonlyMap<string, Passage> {
  const nodes = nodesById(mesh)
  const fateOf = fatesOf(mesh)
  const pauses = pausesIn(constants)
  const timesAt = (id: string): Times | undefined => {
    const [own, kept] = [service.get(id), occupancy.get(id)]
    return own && kept && { service: own, occupancy: kept }
  }
  return new Map(
    mesh.elements.map((element) => {
      const { delay, handling, refused, anew, backoff } = passage(
        element,
        nodes.get(element.to),
        timesAt(element.to),
        demands,
        pauses,
      )
      const attempts = attemptsOver(element, nodes.get(element.from))
      const fails = failures.get(element.to) ?? 0
      const { becomes: givenUp, tries } = fateOf(element)
      const beyond = refusals.over(element)
      const { part, expires } = refusals.unserved(element)
      const never = Math.max(beyond, expires ? 0 : part)
      const aged = backoff?.aged ?? 0
      const lost = 1 - (1 - lostOf(givenUp, refused, fails, attempts * tries)) * (1 - never) * (1 - aged)
      // qⁿ is what is refused in the end
      const first = 1 - (1 - refused) * (1 - beyond ** (1 / attempts))
      const mean = occupancy.get(element.to)?.mean ?? 0
      const from = nodes.get(element.from)
      const gathering =
        element.kind === 'poll' && element.window > 0
          ? gatheringOf(element, demands.ofElement(element.id).attempts)
          : []
      // a record of a stream keeps its place and its server
      const comesAnew = element.kind === 'delivery' || from?.kind === 'queue'
      const again =
        anew !== null && comesAnew ? { ...anew, gathers: added(anew.gathers, momentsOf(gathering)) } : null
      const failing = extrasOver(element, from, { fails, attempts, mean, anew: again })
      const beside = [gathering, backoff?.extras ?? []].filter(({ length }) => length > 0)
      const extras = beside.length > 0 ? extrasOf([failing, ...beside]) : failing
      const gone = { refused: first, givenUp, lost, expired: expires ? part : 0 }
      const isLeast = backoff !== undefined
      return [element.id, { delay, ...(handling && { handling }), extras, isLeast, ...gone }]
    }),
  )
}

/** qⁿ: attempts are taken to fail independently of each other. What the caller is told, other than to slow down, is an answer. */
function lostOf(givenUp: GivenUp, refused: number, fails: number, attempts: number): number {
  return givenUp === 'answered' ? refused : (1 - (1 - refused) * (1 - fails)) ** attempts
}

type Waited = Pick<Passage, 'delay' | 'handling' | 'refused'> & {
  anew: Anew | null
  backoff?: Backoff | undefined
}

function passage(
  element: MeshElement,
  target: MeshNode | undefined,
  times: Times | undefined,
  demands: Demands,
  pauses: Pauses,
): Waited {
  const way = element.laws.reduce<Moments>(
    (sum, law) => (law.law === 'latency' ? added(sum, lognormal(law.p50, law.p99)) : sum),
    instant,
  )
  const unhindered: Waited = { delay: way, refused: 0, anew: { gathers: instant, waits: instant, lasts: 0 } }
  if (target !== undefined && isOff(target))
    return { ...unhindered, delay: element.kind === 'invoke' ? way : null, refused: 1 }
  if (target === undefined || times === undefined) return unhindered
  const refuses = element.kind === 'invoke' && target.kind === 'function'
  const [ofElement, ofTarget] = [serversOf(element.laws), serversOf(target.laws)]
  const servers = Math.min(ofTarget, ofElement)
  if (!Number.isFinite(servers)) {
    const alone = { ...demands.ofElement(element.id), requests: 0 }
    return { ...unhindered, ...handlingOf(metAt(element, times, alone, servers)) }
  }
  // what limits the element is asked by it alone, what limits the node by all
  const demand: Demand = ofElement < ofTarget ? demands.ofElement(element.id) : demands.ofNode(target.id)
  if (refuses) return { ...unhindered, refused: erlangB(servers, demand.busy ?? 0) }
  const met = metAt(element, times, demand, servers)
  const { wait } = met
  // what is bound to a shard waits for that too, where the node is what limits all of them
  const stations = servers === ofElement ? undefined : stationsOf(element.laws)
  const bound =
    stations === undefined ? wait : metAt(element, times, demands.ofElement(element.id), stations).wait
  if (wait === null || bound === null) return { ...unhindered, ...handlingOf(met), delay: null }
  const waits = wait.mean < bound.mean ? bound : wait
  const busy = demand.busy ?? 0
  const throttles = element.kind === 'delivery' && target.kind === 'function'
  const backoff = throttles ? backoffOf(servers, busy, element.maxAge, pauses) : undefined
  const anew = {
    gathers: backoff?.waits ?? instant,
    waits,
    lasts: relaxation(servers, busy, times.occupancy),
  }
  return { delay: added(way, waits), ...handlingOf(met), refused: 0, anew, backoff }
}

type Times = { service: Service; occupancy: Service }

type Met = { wait: Moments | null; handling?: Moments }

const handlingOf = ({ handling }: Met): Pick<Passage, 'handling'> => (handling ? { handling } : {})

/** The wait for one of so many servers; of those that a message is bound to one of, for that one. */
function metAt(element: MeshElement, times: Times, { attempts, requests }: Demand, servers: number): Met {
  const met = element.kind === 'poll' ? metBy(element, times, attempts, servers) : undefined
  if (met !== undefined) return met
  const bound = stationsOf(element.laws) === servers
  return {
    wait: bound
      ? waiting(1, requests / servers, times.occupancy)
      : waiting(servers, requests, times.occupancy),
  }
}

/**
 * How long a queue remembers, seconds: ∫ of the autocorrelation of the number in M/M/1, (1 + ρ)/(μ(1 - ρ)²) (Whitt 1989), of
 * as many servers with μ of all, and as much longer as the variation of what comes and is served is larger (diffusion).
 */
function relaxation(servers: number, offered: number, { mean, scv }: Service): number {
  const used = Math.min(offered / servers, 1)
  return ((1 + used) * (1 + scv) * mean) / (2 * servers * (1 - used) ** 2)
}
