import { producers, routes } from '../../events/routes.ts'
import { MeshError } from '../../mesh/faults.ts'
import { noLoads, parseLoads } from '../../mesh/loads.ts'
import type { Mesh } from '../../mesh/model.ts'
import { type Measured, type RatesDeps, ratesSlice, summed } from '../books/rates.ts'
import { projects } from '../gate/access.ts'
import type { Memory } from '../ports.ts'
import { ago, hour, minute } from '../time.ts'
import { ratesOf, type Times } from './rates.ts'
import type { LoadKnown } from './validate.ts'

export type MeasureDeps = RatesDeps & {
  memory: Pick<Memory, 'list'>
  /** how long each of these functions took */
  times: (functions: readonly string[], window: Window) => Promise<Times>
  /** seconds that may be spent on reading the history */
  seconds: number
}

type Window = { since: string; until: string }
type Counted = { windows: number; events: number; left: number; measured: Measured }

/** How many parts of a window are read at most. */
const mostParts = 168

/**
 * What the mesh carried from `since` until now, of all projects together. Reads the window by hours, spread over it, for
 * as long as there is time: what is counted stands for the rest. Where not one hour can be read in that time, by minutes.
 */
export const measuring =
  (deps: MeasureDeps) =>
  async (mesh: Mesh, since: string): Promise<LoadKnown> => {
    const whole = { since, until: deps.clock() }
    const end = Date.parse(whole.until) + deps.seconds * 1000
    const names = [...new Set(['main', ...(await projects(deps.memory))])]
    const byHours = await count(names, whole, hour, { ...deps, end: end - (deps.seconds * 1000) / 2 })
    const [part, counted] =
      byHours.windows > 0 ? [hour, byHours] : [minute, await count(names, whole, minute, { ...deps, end })]
    const { windows, events, left, measured } = counted
    if (windows === 0) return nothing('so much came in that not one minute of it could be read')
    if (events === 0) return nothing(`nothing came in since ${since}`)
    const times = await deps.times(functionsIn(mesh), whole)
    const { document } = ratesOf({
      // as if it was one window of that length: rates are counts by seconds
      window: { since: ago(whole.until, windows * part), until: whole.until },
      ...{ events, left, measured, times, routes, producers },
    })
    const untimed = functionsIn(mesh).filter((name) => !times.of.has(name))
    const unknown = [
      `${events} ${events === 1 ? 'event' : 'events'} of ${windows} ${part === hour ? 'hours' : 'minutes'} since ${since} were counted`,
      ...(left > 0 ? [`${left} events could not be read and are not counted`] : []),
      ...(untimed.length > 0 ? [`nobody knows how long these take: ${untimed.join(', ')}`] : []),
    ]
    try {
      return { loads: parseLoads('what was measured', document, mesh), unknown }
    } catch (error) {
      // of routes that are not deployed yet, or no longer: the structure is analysed all the same
      if (error instanceof MeshError) return nothing(error.message)
      throw error
    }
  }

const nothing = (why: string): LoadKnown => ({ loads: noLoads, unknown: [`no rates: ${why}`] })

const functionsIn = ({ nodes }: Mesh): string[] =>
  nodes.flatMap(({ kind, name }) => (kind === 'function' ? [name] : []))

/** Parts of a window in an order that spreads over it from the first on, the youngest first. */
function* spread({ since, until }: Window, part: number): Generator<Window> {
  const parts = Math.max(1, Math.floor((Date.parse(until) - Date.parse(since)) / part))
  // the golden section of a whole never comes back to where it was
  const step = 0.618_033_988_75
  const seen = new Set<number>()
  for (let n = 0; seen.size < Math.min(parts, mostParts) && n < 20 * mostParts; n++) {
    const index = Math.floor(((n * step) % 1) * parts)
    if (seen.has(index)) continue
    seen.add(index)
    const end = ago(until, index * part)
    yield { since: ago(end, part), until: end }
  }
}

/** Counts part by part until `end`; a part that is not read whole in all projects does not count. */
async function count(
  names: readonly string[],
  whole: Window,
  part: number,
  deps: MeasureDeps & { end: number },
): Promise<Counted> {
  const counted = { windows: 0, events: 0, left: 0, measured: summed([]) }
  for (const window of spread(whole, part)) {
    const slices = []
    for (const project of names) {
      const seconds = (deps.end - Date.parse(deps.clock())) / 1000
      if (seconds <= 0) return counted
      slices.push(await ratesSlice({ project, ...window }, undefined, deps, seconds))
    }
    if (slices.some(({ next }) => next !== undefined)) return counted
    counted.windows++
    counted.events += slices.reduce((sum, { events }) => sum + events, 0)
    counted.left += slices.reduce((sum, { left }) => sum + left, 0)
    counted.measured = summed([counted.measured, ...slices.map(({ measured }) => measured)])
  }
  return counted
}
