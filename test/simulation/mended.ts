import { isTerminal } from '../../core/errors.ts'
import { type Job, jobOf } from '../../core/job/job.ts'
import { redriveSelection } from '../../core/mend/redrive-progress.ts'
import { supersededBy } from '../../core/mend/superseded.ts'
import { replayAsked } from '../../core/replay/replay-job.ts'
import { isSelected } from './asked.ts'
import { eventsOf, type Held, isDeployed, marksOf, type Wrong } from './held.ts'
import { deadBefore } from './held-back.ts'
import { deliveryText, textOfEvent } from './observed.ts'

/** What must hold of what people mend with: it did what it says, and it is told of. */

const minute = 60_000

const jobsOf = ({ stage }: Held, kind: Job['kind']) =>
  stage.stored.real.memory.all().records.flatMap((record) => {
    const job = record.kind === 'job' ? jobOf(record) : undefined
    return job?.kind === kind && job.state === 'done' ? [{ project: record.project, job }] : []
  })

/** Milliseconds by which what somebody goes by may be behind what is so, or say another time. */
const blurOf = ({ stage }: Held): number => 2 * stage.skew + stage.stale + 30_000

/** A replay that is done came to each event that it was asked for, and waited for what it sent. */
export function replaysComeToAll(held: Held): Wrong[] {
  const replays = jobsOf(held, 'replay')
  const events = [...held.observed.events.values()]
  return replays.flatMap(({ project, job }) => {
    const wrong: Wrong[] = []
    const { subscriber, counts, id, asked, ended = asked } = job
    const { open = 0 } = counts
    const about = `the replay ${id} of ${subscriber}`
    const lasted = Date.parse(ended) - Date.parse(asked)
    if (open > 0 && lasted < 14 * minute)
      wrong.push({ message: `${about} waited for ${open} no longer than ${Math.round(lasted / 1000)} s` })
    const isUnsure = open > 0 || (counts.unreadable ?? 0) > 0
    const selection = replayAsked.parse(job.selection)
    const missed = events.filter(({ stored: { event, expects }, at }) => {
      const key = { project, source: event.source, id: event.id, subscriber }
      const live = held.observed.deliveries.get(deliveryText({ ...key, replay: '' }))
      return (
        event.project === project &&
        at < Date.parse(asked) - blurOf(held) &&
        expects.includes(subscriber) &&
        live?.state !== 'dropped' &&
        isSelected(event, selection) &&
        // it is not looked for among what was written down much later
        (selection.until === undefined || at - Date.parse(event.received) < 50 * minute) &&
        !held.observed.deliveries.has(deliveryText({ ...key, replay: id }))
      )
    })
    if (missed.length > 0 && !isUnsure)
      wrong.push({
        message: `${about} is done and never came to ${missed.length} events: ${missed.map(({ stored }) => stored.event.id).join(', ')}`,
        id: missed[0]?.stored.event.id,
      })
    return wrong
  })
}

/** A redrive that is done says of each that it met what became of it, and leaves none that was open before. */
export async function redrivesComeToAll(held: Held): Promise<Wrong[]> {
  const redrives = jobsOf(held, 'redrive').map(async ({ project, job }) => {
    const { counts, id, asked } = job
    const { matched = 0, sent = 0, already = 0, skipped = 0, blocked = 0, unreadable = 0 } = counts
    const { subscribers, state, stopAfter: _, ...selection } = redriveSelection.parse(job.selection)
    // in a lane what was not sent is counted so too, where something holds its subscriber back again
    const parked = state === 'parked' ? (counts.parked ?? 0) : 0
    const about = `the redrive ${id} of ${job.subscriber}`
    const said = sent + already + skipped + blocked + unreadable + parked
    const wrong: Wrong[] =
      said < matched
        ? [{ message: `${about} met ${matched} and says of ${said} what it did: ${JSON.stringify(counts)}` }]
        : []
    if (skipped + blocked + unreadable + parked > 0) return wrong
    // which of many were meant is looked at in meant.ts
    if (Object.keys(selection).length > 0) return wrong
    const left = marksOf(held).filter(
      (mark) =>
        mark.project === project &&
        mark.state === state &&
        subscribers.includes(mark.subscriber) &&
        isDeployed(held, mark.subscriber) &&
        (held.observed.deliveries.get(deliveryText(mark))?.at ?? 0) < Date.parse(asked) - blurOf(held),
    )
    for (const mark of left) {
      // what waits behind something that died again is as it was
      const before = await deadBefore(mark, held)
      if (before === undefined || before.at < Date.parse(asked) - blurOf(held))
        wrong.push({
          message: `${about} is done, and ${deliveryText(mark)} is ${state} as before`,
          id: mark.id,
        })
    }
    return wrong
  })
  return (await Promise.all(redrives)).flat()
}

/** What a person did to a delivery is told. */
export function mendsAreTold(held: Held): Wrong[] {
  type About = { subscriber: string; replay: string; event?: { source: string; id: string } }
  const told = new Map<string, string[]>()
  for (const { event } of eventsOf(held)) {
    if (!['delivery.dropped', 'delivery.edited', 'event.redriven'].includes(event.type)) continue
    const { subscriber, replay, event: about, ...more } = event.data as About & { replacement?: string }
    if (about === undefined) continue
    const text = `${event.type} ${deliveryText({ project: event.project, ...about, subscriber, replay })}`
    told.set(text, [...(told.get(text) ?? []), more.replacement ?? ''])
  }
  const dropped = marksOf(held).flatMap((mark): Wrong[] => {
    const replacement = supersededBy(mark)
    const type = replacement === undefined ? 'delivery.dropped' : 'delivery.edited'
    // a rebuild tells of what it drops at its end
    if (mark.state !== 'dropped' || mark.reason?.startsWith('of rebuild ')) return []
    if (told.get(`${type} ${deliveryText(mark)}`)?.includes(replacement ?? '')) return []
    return [{ message: `${deliveryText(mark)} was ${mark.reason}, and no ${type} tells it`, id: mark.id }]
  })
  const redriven = [...held.observed.redriven].flatMap(([delivery, times]): Wrong[] => {
    const { length } = told.get(`event.redriven ${delivery}`) ?? []
    return length >= times
      ? []
      : [{ message: `${delivery} was redriven ${times} times, and ${length} events tell it` }]
  })
  return [...dropped, ...redriven]
}

const platformEvent = /^(event|circuit|subscriber)\./

/** Of the deliveries of a subscriber that died in one minute and were left so, one event tells. */
export function deathsAreTold(held: Held): Wrong[] {
  const { observed, stage } = held
  const told = new Map<string, number>()
  for (const { event } of eventsOf(held)) {
    if (event.type !== 'event.dead-lettered') continue
    const { subscriber, minute: of } = event.data as { subscriber: string; minute: string }
    const text = `${event.project} ${subscriber} ${of.slice(0, 16)}`
    told.set(text, (told.get(text) ?? 0) + 1)
  }
  const often = [...told].flatMap(([about, times]) =>
    times > 1 ? [{ message: `the deaths of ${about} were told ${times} times` }] : [],
  )
  const silent = [...observed.deliveries.values()].flatMap((mark): Wrong[] => {
    if (mark.state !== 'dead') return []
    const type = observed.events.get(textOfEvent(mark))?.stored.event.type
    if (type === undefined || platformEvent.test(type)) return []
    const end = Date.parse(`${mark.changed.slice(0, 16)}:00.000Z`) + minute
    // written so late that its minute had been told, or by a clock that far behind
    const isLate = mark.at + stage.stale + stage.skew >= end + minute
    const about = `${mark.project} ${mark.subscriber} ${mark.changed.slice(0, 16)}`
    if (isLate || told.has(about)) return []
    return [{ message: `${deliveryText(mark)} died at ${mark.changed}, and nothing tells it`, id: mark.id }]
  })
  return [...often, ...silent]
}

export const isNobodysFault = (error: unknown): boolean =>
  isTerminal(error) || (error instanceof Error && (error.name === 'Busy' || error.name === 'NewerVersion'))
