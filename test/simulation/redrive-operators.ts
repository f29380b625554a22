import { dropDelivery, dropOpen } from '../../core/mend/drop.ts'
import { editDelivery } from '../../core/mend/edit.ts'
import { deliveriesOf } from '../../core/mend/open-delivery.ts'
import { redriveJob } from '../../core/mend/redrive.ts'
import { redriveEvent } from '../../core/mend/redrive-one.ts'
import type { Selection } from '../../core/mend/selection.ts'
import type { Delivery, DeliveryKey } from '../../core/ports.ts'
import { by, rates } from './api-requests.ts'
import type { Chance } from './chance.ts'
import { deliveryText, type Observed, textOfEvent } from './observed.ts'
import type { Command } from './operators.ts'
import type { Ports } from './ports.ts'

/** People who send what is dead again, drop or edit it: one, or those that they mean of many. */

type Mark = DeliveryKey & Delivery

export function redriveOperators({ chance, observed }: { chance: Chance; observed: Observed }) {
  /** Each to its subscriber, or whichever of an event are dead. */
  const redriveOne = (dead: Mark, all = chance.is(0.3)): Command => {
    const { project, source, id, subscriber, replay } = dead
    const wanted = all ? {} : { subscriber, replay }
    return {
      name: `redrive ${id}${wanted.subscriber === undefined ? '' : ` of ${subscriber}`}`,
      async run(ports) {
        const redriven = await redriveEvent({ project, source, id }, wanted, by, ports)
        if (redriven.length > 1) observed.sometimes('one event is sent to several again')
        for (const { outcome, ...one } of redriven) {
          const text = deliveryText({ project, source, id, ...one })
          if (one.subscriber !== (wanted.subscriber ?? one.subscriber))
            observed.violated({ invariant: 'others are left', message: `${text} was redriven unasked`, id })
          if (outcome === 'sent' || outcome === 'delayed')
            observed.redriven.set(text, (observed.redriven.get(text) ?? 0) + 1)
        }
      },
    }
  }

  const redriveDead = (
    project: string,
    subscribers: readonly string[],
    selection: Selection = {},
  ): Command => ({
    name: `redrive what is dead of ${subscribers.join(', ')} by ${Object.keys(selection).join(', ') || 'nothing'}`,
    run: async (ports) => {
      const stopAfter = chance.pick([undefined, undefined, 1, 2])
      const asked = { id: ports.newId(), by, asked: ports.clock(), rate: chance.pick(rates) }
      const subscriber = subscribers.length > 1 ? 'all' : (subscribers[0] ?? '')
      const { write, outbox } = redriveJob(project, {
        ...asked,
        subscriber,
        subscribers,
        selection,
        stopAfter,
      })
      return ports.memory.commit({ writes: [write], outbox })
    },
  })

  /** What is like this one, in one way or another; now and then of whomever it is dead. */
  const redriveSome = (dead: Mark, names: readonly string[]): Command =>
    redriveDead(dead.project, chance.is(0.3) ? names : [dead.subscriber], selectionLike(dead))

  function selectionLike(mark: Mark): Selection {
    const { reason = '', changed } = mark
    const event = observed.events.get(textOfEvent(mark))?.stored.event
    const by = chance.pick(['nothing', 'type', 'reason', 'since', 'until', 'where', 'where', 'both'])
    const type = event === undefined ? {} : { type: event.type }
    const [head, tail] = [chance.whole(0, 12), chance.whole(20, 40)]
    const held = reason.slice(head, tail)
    const said = chance.is(0.5) ? `${held.slice(0, 4)}*${held.slice(-4)}` : held.toUpperCase()
    switch (by) {
      case 'type':
        return type
      case 'reason':
        return held === '' ? {} : { reason: said }
      case 'since':
        return { since: changed }
      case 'until':
        return { until: changed }
      case 'where':
        return { where: [memberOf(event?.data)] }
      case 'both':
        return { ...type, until: changed, ...(held === '' ? {} : { reason: held }) }
      default:
        return {}
    }
  }

  async function drop(key: DeliveryKey, ports: Ports): Promise<unknown> {
    const [found] = await deliveriesOf(key, key, ports.history)
    return found && dropDelivery(found, { by, reason: 'nobody needs it' }, ports)
  }

  const dropOne = (held: Mark): Command => ({
    name: `drop ${held.id} of ${held.subscriber}`,
    run: (ports) => drop(held, ports),
  })

  const dropSome = (dead: Mark): Command => ({
    name: `drop what is dead of ${dead.subscriber}`,
    async run(ports) {
      const { project, subscriber } = dead
      const [name, before] = [ports.newId(), ports.clock()]
      const what = {
        project,
        subscribers: [subscriber],
        state: 'dead',
        selection: selectionLike(dead),
      } as const
      observed.meant.set(name, { ...what, asked: before })
      let from: Parameters<typeof dropOpen>[0]['from']
      do {
        const { dropped, next } = await dropOpen(
          { ...what, before, from },
          { by, reason: `drop ${name}` },
          ports,
        )
        if (dropped > 1) observed.sometimes('dead letters are dropped together')
        from = next
      } while (from !== undefined)
    },
  })

  const editOne = (dead: Mark): Command => ({
    name: `edit ${dead.id} of ${dead.subscriber}`,
    async run(ports) {
      const [found] = await deliveriesOf(dead, dead, ports.history)
      const event = found?.stored?.event
      const data = event?.data
      if (found === undefined || data === null || typeof data !== 'object') return undefined
      observed.sometimes('a dead letter is edited')
      return editDelivery(found, { ...data, ...mended(event?.type ?? '') }, by, ports)
    },
  })

  return { redriveOne, redriveDead, redriveSome, dropOne, dropSome, editOne }
}

/** Some member of the data and its value; where all of it lies in the bucket, one that every order has. */
function memberOf(data: unknown): { path: string; value: string } {
  const members = Object.entries(data ?? {})
  const [path, value] = members.find(([, one]) => typeof one === 'string') ?? ['marker', 'marker1x']
  return { path, value }
}

/** Something about it that is different now, and fits. */
function mended(type: string): object {
  switch (type) {
    case 'github.push':
      return { forced: true }
    case 'deployment.failed':
      return { environment: 'mended' }
    case 'acme.ordered':
      return { mended: true }
    default:
      return { commit: 'mended' }
  }
}
