import { seeded } from '../random.ts'
import { serviceTimes } from './sample.ts'
import type { Bulk, Met } from './waiting.ts'

const services = 5_000
const messages = { least: 50_000, most: 200_000 }

/**
 * A seeded run of a queue with bulk service (`bulkService`), event by event: what its messages meet, and how long they wait.
 * For where no closed form is near (`runs`): servers of constant services run in step, so that all get free at once and none for
 * long after, and of services that are for the larger part of messages one long batch leaves another behind it. `batch`: the mean batch,
 * about, of which follows how long the run is. The first tenth is not counted.
 */
export function bulkRun(queue: Bulk, batch: number): Met {
  const { servers, rate, most, fixed, each, scv } = queue
  const random = seeded(1)
  const service = serviceTimes(1, scv, random)
  const count = Math.ceil(Math.min(messages.most, Math.max(messages.least, services * batch)))
  const arrivals = new Float64Array(count)
  let now = 0
  for (let place = 0; place < count; place++) {
    now -= Math.log(1 - random()) / rate
    arrivals[place] = now
  }
  // when each server gets free, in order; who begins is put in its place
  // out of step, as they get in the long run: from one moment on constant services would stay in it
  const free = Float64Array.from(
    { length: servers },
    (_, place) => ((place + 0.5) / servers) * (fixed + each * batch),
  )
  const seen = { batch: 0, square: 0 }
  let [waited, square, counted] = [0, 0, 0]
  for (let place = 0; place < count; ) {
    const begin = Math.max(free[0] ?? 0, arrivals[place] ?? 0)
    let taken = 1
    while (taken < most && (arrivals[place + taken] ?? Number.POSITIVE_INFINITY) <= begin) taken++
    if (place >= count / 10)
      for (let one = 0; one < taken; one++) {
        const wait = begin - (arrivals[place + one] ?? 0)
        waited += wait
        square += wait ** 2
        seen.batch += taken
        seen.square += taken ** 2
        counted++
      }
    const end = begin + service() * (fixed + each * taken)
    let slot = 0
    for (; slot + 1 < servers && (free[slot + 1] ?? 0) < end; slot++) free[slot] = free[slot + 1] ?? 0
    free[slot] = end
    place += taken
  }
  const mean = waited / counted
  return {
    wait: { mean, variance: Math.max(0, square / counted - mean ** 2) },
    seen: { batch: seen.batch / counted, square: seen.square / counted },
  }
}
