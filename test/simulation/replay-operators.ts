import { newRebuild } from '../../core/replay/rebuild.ts'
import { newReplay } from '../../core/replay/replay.ts'
import type { ReplayAsked } from '../../core/replay/replay-job.ts'
import type { RecordedEvent } from '../../events/envelope.ts'
import type { Route } from '../../events/route.ts'
import { by, rates } from './api-requests.ts'
import type { Chance } from './chance.ts'
import type { Observed } from './observed.ts'
import type { Command } from './operators.ts'
import type { Ports } from './ports.ts'

/** People who have the history handled once more by one subscriber, or its records built anew. */

const project = 'main'

export function replayOperators({
  chance,
  observed,
  since,
  maySwitch,
  paused,
  resumed,
}: {
  chance: Chance
  observed: Observed
  /** before it all began, ISO 8601: it spares a walk through the empty weeks before */
  since: string
  /** clocks differ by no more than a rebuild allows */
  maySwitch: boolean
  paused: (subscriber: string) => Command
  resumed: (subscriber: string) => Command
}) {
  const asked = (ports: Ports) => ({ id: ports.newId(), by, asked: ports.clock(), rate: chance.pick(rates) })

  /** What is like some event that the subscriber had, in one way or another. */
  function selectionFor(subscriber: string): ReplayAsked {
    const known = [...observed.events.values()].flatMap(({ stored: { event, expects } }) =>
      event.project === project && expects.includes(subscriber) ? [event] : [],
    )
    const like: RecordedEvent | undefined = known[Math.floor(chance.random() * known.length)]
    if (like === undefined) return { since }
    const { source, id, type, partitionkey: key, correlationid: story, received: until } = like
    switch (chance.whole(0, 7)) {
      case 0:
        return { since, type }
      case 1:
        return { since, key }
      case 2:
        return { story }
      case 3:
        return { since, until }
      case 4:
        return { until, since, type }
      case 5:
        return { event: { source, id } }
      case 6:
        return { since, type, key, asRecorded: true }
      default:
        return { since }
    }
  }

  const replay = ({ subscriber, kind }: Route): Command => ({
    name: `replay ${subscriber}`,
    run: async (ports) => {
      const emit = kind === 'function' && chance.is(0.3) ? { emit: true } : {}
      const selection = { ...selectionFor(subscriber), ...emit }
      const { write, outbox } = newReplay({ project, ...asked(ports) }, subscriber, selection, ports.routes)
      observed.sometimes('something is replayed')
      if (kind === 'workflow') observed.sometimes('a workflow is replayed')
      for (const member of ['type', 'key', 'story', 'until', 'event'] as const)
        if (selection[member] !== undefined) observed.sometimes(`something is replayed by its ${member}`)
      return ports.memory.commit({ writes: [write], outbox })
    },
  })

  const rebuild = (subscriber: string, switches: boolean): Command => ({
    name: `rebuild ${subscriber}`,
    run: async (ports) => {
      const how = switches ? { since, switch: true } : { since }
      const { job, write, outbox } = newRebuild(
        { project, ...asked(ports) },
        subscriber,
        { since },
        ports.routes,
      )
      // nobody may ask for a time and a switch: it spares a walk through the empty weeks before all began
      const value = { ...job, selection: how }
      observed.sometimes('something is rebuilt')
      return ports.memory.commit({ writes: [{ ...write, value }], outbox })
    },
  })

  function meddledWith({ subscriber }: Route): Command {
    const pauses = chance.between(2000, 40_000)
    return {
      ...rebuild(subscriber, maySwitch && chance.is(0.4)),
      next: [
        [pauses, paused(subscriber)],
        [pauses + chance.between(1000, 40_000), resumed(subscriber)],
      ],
    }
  }

  return {
    replayOrRebuild: (route: Route) => (route.effect === 'outside' ? replay(route) : meddledWith(route)),
    switchedTo: (subscriber: string) => rebuild(subscriber, true),
  }
}
