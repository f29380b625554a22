import { createHash } from 'node:crypto'
import { attempt } from '../attempt.ts'
import type { Arrival } from '../event/arrival.ts'
import type { Ephemeral, History, Random } from '../ports.ts'

type CopiesDeps = {
  ephemeral: Ephemeral
  history: History
  random: Random
  pause: (milliseconds: number) => Promise<void>
}

/** Seconds. */
const seenFor = 7 * 86_400

/** The delivery id under which this very body was seen first; this one, if it is new. */
export function firstDelivery(
  project: string,
  id: string,
  body: Uint8Array,
  deps: CopiesDeps,
): Promise<string> {
  const digest = createHash('sha256').update(body).digest('hex')
  return deps.ephemeral.putIfAbsent(`webhook#${project}#github#${digest}`, id, seenFor)
}

/**
 * What to record of a body that came under `id`, and first under `first`. Another id is a duplicate, always; but nobody
 * expects a duplicate, so the first must be in history. It may be on its way there at this very moment, or lost in a
 * crash: nobody can tell these apart, and nobody needs to. It is given a moment, and then recorded here in its stead:
 * the body is the same, so whoever writes its identity first, one event is recorded and the other is known. However many
 * copies come at once, one of them runs, and none is lost with the one that was first.
 */
export async function arrivalsOf(
  id: string,
  first: string,
  project: string,
  arrivalOf: (id: string, duplicateof?: string) => Arrival,
  deps: CopiesDeps,
): Promise<Arrival[]> {
  if (id === first) return [arrivalOf(id)]
  const there = await isSoonThere(project, first, deps)
  return [...(there ? [] : [arrivalOf(first)]), arrivalOf(id, first)]
}

/** Milliseconds before each look. They are stretched by chance: copies that came together look at different times. */
const looks = [0, 50, 100, 200]

async function isSoonThere(project: string, id: string, deps: CopiesDeps): Promise<boolean> {
  for (const wait of looks) {
    if (wait > 0) await deps.pause(wait * (0.5 + deps.random()))
    const sources = await attempt(() => deps.history.sourcesOf(project, id))
    if ('error' in sources) return false
    if (sources.value.length > 0) return true
  }
  return false
}
