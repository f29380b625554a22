import { type Line, later, minus, nought, plus, times, untilSum, valueAt } from './lines.ts'
import { many, type Station, type Stretch } from './station.ts'

/** When who is served after `gone` came, by the stretch of whom it is. */
export const cameAt = ({ from, rate, before }: Stretch, gone: number): number =>
  gone <= before ? from : from + untilSum(rate, from, gone - before)

/** What a limit gives to whom that is over: sets the rates that go, wait, are lost and are refused. `before`: it was over already. */
export function overflow(station: Station, time: number, before: boolean): void {
  const { shares, capacity, all, patient, limit, beyond } = station
  station.tokens = 0
  if (!before) Object.assign(station, { waiting: [], head: 0, came: 0, gone: 0 })
  const hasty = minus(all, patient)
  const hastyNow = valueAt(hasty, time)
  const allNow = valueAt(all, time)
  // who may not wait gets the part that it is of what comes, or all that it asks while what waits is worked off
  const forHasty = beyond ? times(capacity, allNow === 0 ? 0 : hastyNow / allNow) : hasty
  const forPatient = minus(capacity, forHasty)
  joined(station, time)
  const next = headOf(station)
  const left = next && time - cameAt(next, station.gone) >= limit.patience - 1e-9
  const old = next === undefined ? nought : later(next.rate, limit.patience)
  station.expiring = left === true && valueAt(old, time) > valueAt(forPatient, time) * (1 + 1e-9)
  station.leaving = station.expiring ? old : forPatient
  station.serving = forPatient
  station.parts = next?.parts
  let [lost, refused, growing] = [nought, nought, nought]
  shares.forEach((share, index) => {
    if (share.waits) {
      const part = next?.parts[index] ?? 0
      share.out = times(forPatient, part / share.work)
      growing = plus(growing, minus(share.in, times(station.leaving, part / share.work)))
      if (limit.over === 'refuse') refused = plus(refused, share.in)
      if (station.expiring) lost = plus(lost, times(minus(old, forPatient), part / share.work))
    } else {
      const part = hastyNow === 0 ? 0 : (valueAt(share.in, time) * share.work) / hastyNow
      share.out = beyond ? times(forHasty, part / share.work) : share.in
      const over = minus(share.in, share.out)
      lost = plus(lost, over)
      refused = plus(refused, over)
    }
  })
  station.losing = lost
  station.refusing = refused
  station.growing = growing
}

/**
 * Of a limit that very many flows share, the parts of the capacity that each gets are told anew only now and then; what is
 * more or less in all waits all the same. Answers false when it is time to tell them.
 */
export function kept(station: Station, time: number): boolean {
  const { shares, waiting, patient, came, expiring, capacity, limit } = station
  const last = waiting.at(-1)
  if (shares.length < many || expiring || last === undefined || time >= station.renewed) return false
  if (capacity.slope !== 0 && limit.scaling !== null) return false
  if (!sameLine(last.rate, patient)) {
    if (last.from === time) waiting.pop()
    waiting.push({ from: time, rate: patient, parts: last.parts, before: came })
  }
  return headOf(station)?.parts === station.parts
}

const sameLine = (one: Line, other: Line): boolean =>
  Math.abs(one.at - other.at) <= 1e-12 * Math.abs(one.at) && one.slope === other.slope

/** A new stretch begins when what comes changes. */
function joined(station: Station, time: number): void {
  const { shares, patient, waiting } = station
  const now = valueAt(patient, time)
  // what changed twice at once has changed once
  if (waiting.at(-1)?.from === time) waiting.pop()
  const last = waiting.at(-1)
  const parts = shares.map((share) =>
    share.waits && now > 0 ? (valueAt(share.in, time) * share.work) / now : 0,
  )
  const same =
    last !== undefined &&
    sameLine(last.rate, patient) &&
    parts.every((part, index) => Math.abs(part - (last.parts[index] ?? 0)) < 1e-9)
  if (!same) waiting.push({ from: time, rate: patient, parts, before: station.came })
}

/** The stretch of whom is next; those before are forgotten. */
function headOf(station: Station): Stretch | undefined {
  const { waiting } = station
  station.head = Math.max(0, Math.min(station.head, waiting.length - 1))
  const slack = 1e-12 * Math.max(1, station.came)
  for (let next = waiting[station.head + 1]; next !== undefined; next = waiting[station.head + 1]) {
    if (next.before > station.gone + slack) break
    station.head++
  }
  const next = waiting[station.head]
  if (station.head > 64) {
    waiting.splice(0, station.head)
    station.head = 0
  }
  return next
}
