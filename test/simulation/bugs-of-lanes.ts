import type { Lanes } from '../../core/lane/lane.ts'
import type { OrderedMessage } from '../../core/ports.ts'
import type { Process } from './calls.ts'
import { type Bug, consumes, inSends, methodsOf, type Planted } from './planting.ts'

/** The same of lanes: what waits there in order. */

const inLanes =
  (change: (lanes: Lanes, process: Process) => Partial<Lanes>): Planted =>
  (ports, process) => ({
    ...ports,
    lanes: { ...methodsOf(ports.lanes), ...change(ports.lanes, process) },
  })

const isReleased = (message: string | OrderedMessage): boolean =>
  typeof message !== 'string' && message.body.includes('"release":')

export const laneBugs: Readonly<Record<string, Bug>> = {
  'a lane is released behind its first': {
    ports: inLanes((lanes) => ({
      async waiting(lane, limit) {
        const waiting = await lanes.waiting(lane, limit)
        return waiting.length > 1 ? waiting.slice(1) : waiting
      },
    })),
  },

  'what is released is sent in another order': {
    ports: inSends((send) => (queue, messages) => {
      const turned = messages.length > 1 && messages.every(isReleased)
      return send(queue, turned ? messages.toReversed() : messages)
    }),
  },

  'a lane opens while something waits in it': {
    ports: inLanes((lanes, process) =>
      consumes(process)
        ? {
            waiting: async () => [],
            async open(lane, seen) {
              for (const waiting of await lanes.waiting(lane, 100)) await lanes.leave(lane, waiting)
              return lanes.open(lane, seen)
            },
          }
        : {},
    ),
  },

  'a lane in which nothing waits stays closed': { ports: inLanes(() => ({ open: async () => true })) },

  'whatever was released once may pass': {
    ports: (ports, process) => {
      if (!consumes(process)) return ports
      const names = new Map<string, string>()
      return {
        ...ports,
        lanes: {
          ...methodsOf(ports.lanes),
          async lane(key) {
            const lane = await ports.lanes.lane(key)
            const text = JSON.stringify(key)
            // what it has seen before is not looked at again
            const release = names.get(text) ?? lane?.release
            if (release !== undefined) names.set(text, release)
            return lane && { ...lane, release }
          },
        },
      }
    },
  },
}
