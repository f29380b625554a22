import { type Line, minus, nought, plus, times, valueAt } from './lines.ts'
import { kept, overflow } from './overflow.ts'
import { closeTo, type Share, type Station } from './station.ts'

/** Another rate comes over one flow; what follows from it, `settle` says. */
export function change(station: Station, share: Share, rate: Line): void {
  const more = minus(rate, share.in)
  const work = times(more, share.work)
  share.in = rate
  station.changed.push(share.place)
  station.messagesIn = plus(station.messagesIn, more)
  station.all = plus(station.all, work)
  if (share.waits) station.patient = plus(station.patient, work)
  if (!station.over) return
  // as long as it is not settled anew, what is more waits or is refused
  if (share.waits) station.growing = plus(station.growing, more)
  else station.losing = plus(station.losing, more)
  if (!share.waits || station.limit.over === 'refuse') station.refusing = plus(station.refusing, more)
}

/** What was added up bit by bit, anew: without what rounding left. */
function sumUp(station: Station): void {
  const [messages, all, patient] = [{ ...nought }, { ...nought }, { ...nought }]
  for (const { in: rate, work, waits } of station.shares) {
    messages.at += rate.at
    messages.slope += rate.slope
    all.at += rate.at * work
    all.slope += rate.slope * work
    if (!waits) continue
    patient.at += rate.at * work
    patient.slope += rate.slope * work
  }
  Object.assign(station, { messagesIn: messages, all, patient })
}

/**
 * Tells from what comes now what goes now, and whether it keeps up; answers the places whose `out` may be another. `fine`:
 * seconds for which the parts of what very many share are kept at least.
 */
export function settle(station: Station, time: number, fine: number): readonly number[] | 'all' {
  const { shares, changed, over: before, beyond } = station
  // of many shares only now and then
  if (shares.length < 16 || changed.length * 4 > shares.length) sumUp(station)
  station.changed = []
  heard(station, time)
  judge(station, time)
  if (station.over) {
    if (before && beyond === station.beyond && kept(station, time)) return []
    overflow(station, time, before)
    if (!before) station.begun = time
    station.renewed = time + Math.max(fine, (time - station.begun) / 4)
    return 'all'
  }
  for (const place of before ? shares.keys() : changed) {
    const share = shares[place]
    if (share !== undefined) share.out = share.in
  }
  if (before) keepUp(station)
  return before ? 'all' : changed
}

/** Whether more comes than it can take, whether it is over, and how its capacity goes on. */
function judge(station: Station, time: number): void {
  const { limit, all } = station
  const can = valueAt(station.capacity, time)
  const close = closeTo(can)
  if (station.backlog <= close * 1e-2) {
    station.backlog = 0
    station.messages = 0
  }
  const coming = valueAt(all, time)
  const level = Math.abs(coming - can) <= close
  const mayGrow = limit.scaling !== null && can < limit.most - close ? limit.scaling.growth : 0
  station.beyond = level ? all.slope > mayGrow : coming > can
  const spent = station.tokens <= close * 1e-2
  station.over = station.backlog > 0 || (station.beyond && spent)
  // what grows no faster than servers come is followed, and by what comes at once ahead of it
  const follows = (level && !station.beyond) || (limit.scaling?.ahead ?? 0) > 0
  const grows = follows ? Math.min(mayGrow, Math.max(0, all.slope)) : 0
  station.capacity = through(time, can, station.over ? mayGrow : grows)
}

const through = (time: number, value: number, slope: number): Line => ({ at: value - slope * time, slope })

/** Notes the messages that come, for whom a simulation wants to know. */
function heard({ seen, messagesIn: { at, slope } }: Station, time: number): void {
  const last = seen.arrivals.at(-1)
  if (last?.rate.at === at && last.rate.slope === slope) return
  if (last?.from === time) seen.arrivals.pop()
  seen.arrivals.push({ from: time, rate: { at, slope } })
}

function keepUp(station: Station): void {
  station.waiting = []
  station.head = 0
  station.came = 0
  station.gone = 0
  station.expiring = false
  station.leaving = nought
  station.growing = nought
  station.losing = nought
  station.refusing = nought
}
