import { eventTypeNamed } from '../../events/catalogue.ts'
import { limits } from '../../events/envelope.ts'
import { eventsOf, type Held, marksOf, routeOf, type Wrong } from './held.ts'
import { deliveryText, textOfEvent } from './observed.ts'

/** What must hold of events that handlers, workflows and commands emit. */

/** What a handling emitted is recorded, or in quarantine as a loop; and nothing beside it. */
export function emissionsAreRecorded(held: Held): Wrong[] {
  const { observed, stage } = held
  const quarantined = new Set(stage.stored.real.history.all().quarantined.map(({ id }) => id))
  const missing = marksOf(held)
    .filter(({ state }) => state === 'done')
    .flatMap((mark) =>
      mark.emitted
        .filter((id) => !observed.events.has(`${mark.project} /loadpath/${mark.subscriber} ${id}`))
        .filter((id) => !quarantined.has(id))
        .map((id) => ({
          message: `${deliveryText(mark)} is done and what it emitted (${id}) is not recorded`,
          id: mark.id,
        })),
    )
  const surplus = eventsOf(held).flatMap(({ event }) => {
    const { cause, project, id, door } = event
    if (cause === undefined || door === 'states' || door === 'edit') return []
    if (routeOf(held, cause.by)?.kind === 'workflow') return []
    const handled = marksOf(held).filter(
      (mark) =>
        mark.project === project &&
        mark.source === cause.source &&
        mark.id === cause.id &&
        mark.subscriber === cause.by,
    )
    const isSaid = handled.some(({ emitted, state }) => state !== 'done' || emitted.includes(id))
    if (handled.length === 0 || isSaid) return []
    return [
      {
        message: `${id} says that ${cause.by} emitted it for ${cause.id}, and no delivery of it says so`,
        id: cause.id,
      },
    ]
  })
  return [...missing, ...surplus]
}

/** Events of ours come into history in the order in which their aggregate changed. */
export function sequencesAreRecordedInOrder(held: Held): Wrong[] {
  const sequenced = [...held.observed.events.values()].filter(
    ({ stored: { event } }) => event.door === 'outbox' && eventTypeNamed(event.type)?.ordered,
  )
  const lanes = Map.groupBy(sequenced, ({ stored: { event } }) => `${event.project} ${event.partitionkey}`)
  return [...lanes].flatMap(([lane, events]) =>
    events.flatMap(({ stored: { event } }, index) => {
      const before = events[index - 1]?.stored.event.sequence ?? -1
      if ((event.sequence ?? 0) >= before) return []
      return [{ message: `${lane}: ${event.sequence} was recorded after ${before}`, id: event.id }]
    }),
  )
}

/** What keeps order has changed by each event in its turn, also what a rebuild has put in its place. */
export function ordersAreKept({ stage, observed }: Held): Wrong[] {
  return stage.stored.real.memory.all().records.flatMap(({ kind, project, name, value }): Wrong[] => {
    if (kind !== 'fold') return []
    const events = (value as { entries: readonly string[] }).entries.flatMap((entry) => {
      // what was lost on its way comes late
      if (observed.expired.has(`${project} ${entry} -> ${kind}`)) return []
      return observed.events.get(`${project} ${entry}`)?.stored.event ?? []
    })
    const late = events.find(({ sequence = 0 }, index) => sequence < (events[index - 1]?.sequence ?? 0))
    return late === undefined
      ? []
      : [{ message: `${kind} ${name} has ${late.sequence} behind what is later`, id: late.id }]
  })
}

export function chainsEnd(held: Held): Wrong[] {
  const byIdentity = new Map(eventsOf(held).map(({ event }) => [textOfEvent(event), event]))
  return eventsOf(held).flatMap(({ event }) => {
    let length = 0
    for (let at = event; at.cause !== undefined && length < 100; ) {
      const { source, id } = at.cause
      const before = byIdentity.get(`${at.project} ${source} ${id}`)
      if (before === undefined) break
      // what takes the place of another is no further from the beginning
      if (at.door !== 'edit') length++
      at = before
    }
    return length > limits.hops
      ? [{ message: `${event.id} is ${length} hops from its beginning`, id: event.id }]
      : []
  })
}
