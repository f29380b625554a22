import { between, later, minus, times, untilLineZero, untilSum, untilZero, valueAt } from './lines.ts'
import { closeTo, many, type Station } from './station.ts'

/** Seconds until something changes that its lines do not say. `fine`: how long parts of a mixture are kept in a ramp. */
export function untilChange(station: Station, fine: number): number {
  const { time, all, capacity, limit } = station
  const spare = minus(capacity, all)
  const spareNow = valueAt(spare, time)
  const close = closeTo(valueAt(capacity, time))
  const never = Number.POSITIVE_INFINITY
  const full = capacity.slope > 0 ? untilLineZero(minus({ at: limit.most, slope: 0 }, capacity), time) : never
  const level = Math.abs(spareNow) <= close
  const crossing = level ? never : untilLineZero(spareNow > 0 ? spare : times(spare, -1), time)
  if (!station.over)
    return Math.min(
      full,
      crossing,
      station.beyond ? untilZero(station.tokens, spareNow, spare.slope / 2) : never,
    )
  const { shares } = station
  const mixed =
    shares.length < many
      ? shares.length > 1 && shares.some((share) => share.in.slope !== 0) && fine
      : Math.max(0, station.renewed - time)
  return Math.min(full, crossing, untilWaited(station), mixed || never)
}

/** Until nobody waits, another stretch is next, or what waits is too old. */
function untilWaited(station: Station): number {
  const { time, waiting, head, leaving, limit, patient } = station
  const net = minus(patient, leaving)
  const empty = untilZero(station.backlog, valueAt(net, time), net.slope / 2)
  const [next, behind] = [waiting[head], waiting[head + 1]]
  if (next === undefined) return empty
  const passed =
    behind === undefined ? Number.POSITIVE_INFINITY : untilSum(leaving, time, behind.before - station.gone)
  if (!Number.isFinite(limit.patience)) return Math.min(empty, passed)
  const old = later(next.rate, limit.patience)
  const due = next.from + limit.patience
  if (time < due - 1e-9) return Math.min(empty, passed, due - time)
  if (station.expiring) {
    const turn = behind === undefined ? Number.POSITIVE_INFINITY : behind.from + limit.patience - time
    return Math.min(empty, passed, turn, untilLineZero(minus(old, station.serving), time))
  }
  // who came `patience` ago, against who is next
  const ahead = station.gone - next.before - between(next.rate, next.from, time - limit.patience)
  const shrinks = minus(leaving, old)
  return Math.min(empty, passed, untilZero(Math.max(0, ahead), valueAt(shrinks, time), shrinks.slope / 2))
}
