import type { MemoryWrite } from '../../core/ports.ts'
import { subscribersOf } from '../../events/route.ts'
import { type Bug, type Frame, inHistory, inMemory, inSends, methodsOf, reframed } from './planting.ts'
import { settlementKind } from './quarantine-operators.ts'

/** The same of what people mend with: redrives, lanes, pauses, replays. */

const mends = /^(api|redrive-batch)$/

export const mendingBugs: Readonly<Record<string, Bug>> = {
  'a redrive goes to all who get its type': {
    ports: (ports, process, world) =>
      inSends((send, { kind }) => async (queue, messages) => {
        const failures = await send(queue, messages)
        if (!mends.test(kind)) return failures
        for (const message of messages) {
          const body = typeof message === 'string' ? message : message.body
          const { event, replay } = JSON.parse(body) as Frame
          if (replay !== '') continue
          const others = ports.routes.filter(
            ({ subscriber, ordered, when }) => subscriber !== queue && !ordered && when === undefined,
          )
          for (const other of subscribersOf(others, String(event.type), event.data)) await send(other, [body])
        }
        return failures
      })(ports, process, world),
  },

  'of two who redrive both do': {
    ports: inHistory((history, _, { stored }) => ({
      transition: async (change) => {
        if (!(await history.transition(change))) stored.overwrite({ ...change.next, ...change.key })
        return true
      },
    })),
  },

  'lanes are not looked at': {
    ports: (ports) => ({ ...ports, lanes: { ...methodsOf(ports.lanes), lane: async () => undefined } }),
  },

  'what failed in a lane holds nothing back': {
    ports: (ports) => ({
      ...ports,
      lanes: {
        ...methodsOf(ports.lanes),
        wait: async (_, { key, delivery }) => ((await ports.history.mark(key, delivery)) ? 'waits' : 'final'),
      },
    }),
  },

  'a pause is not looked at': {
    ports: (ports, { kind }) =>
      kind.startsWith('consume ')
        ? {
            ...ports,
            memory: {
              ...methodsOf(ports.memory),
              get: async (key) => (key.kind === 'control' ? undefined : ports.memory.get(key)),
            },
          }
        : ports,
  },

  'a replay is sent as if it were new': {
    ports: (ports, process, world) =>
      inSends((send, { kind }) =>
        kind === 'replay-batch'
          ? reframed(
              () => true,
              (frame) => ({ ...frame, replay: '' }),
            )(send)
          : send,
      )(ports, process, world),
  },

  'a replay emits without being asked to': {
    ports: (ports, process, world) =>
      inSends((send, { kind }) =>
        kind === 'replay-batch'
          ? reframed(
              () => true,
              (frame) => ({ ...frame, emit: true }),
            )(send)
          : send,
      )(ports, process, world),
  },

  'a batch of a job says that it is done': {
    entry: (entry, { kind }) => (kind.endsWith('-batch') ? async () => ({ state: 'ended', wait: 0 }) : entry),
  },

  'an approval is answered by the first token that it was asked with': {
    ports: inMemory((memory, { kind }) => ({
      commit: async (change) =>
        kind === 'request-approval' && change.writes.some(({ version }) => version > 1)
          ? 'committed'
          : memory.commit(change),
    })),
  },

  'what leaves quarantine is not settled': {
    ports: inHistory(() => ({ settleQuarantined: async () => true })),
  },

  'what is written of quarantine is not read': {
    ports: inMemory((memory) => ({
      get: async (key) => (key.kind === settlementKind ? undefined : memory.get(key)),
    })),
  },

  'what is dropped is marked as done': {
    ports: inMemory((memory) => ({
      commit: ({ transition, ...change }) =>
        memory.commit(
          transition?.next.state === 'dropped'
            ? { ...change, transition: { ...transition, next: { ...transition.next, state: 'done' } } }
            : { ...change, transition },
        ),
    })),
  },

  'marks are read where they are behind': {
    ports: inHistory((_, __, { stored }) => ({ getDeliveries: (keys) => stored.behind.getDeliveries(keys) })),
  },

  'a replay looks through one shard alone': {
    ports: (ports, process, world) =>
      process.kind === 'replay-batch'
        ? inHistory((history) => ({ pages: async (at) => (at.shard === 0 ? history.pages(at) : []) }))(
            ports,
            process,
            world,
          )
        : ports,
  },

  'what a redrive is about to send is not noted': {
    ports: inMemory((memory, { kind }) => ({
      commit: (change) =>
        memory.commit(
          kind === 'redrive-batch' ? { ...change, writes: change.writes.map(withoutPending) } : change,
        ),
    })),
  },

  'what a person did to a delivery is not told': {
    ports: inMemory((memory, { kind }) => ({
      commit: (change) =>
        memory.commit(kind === 'api' && change.transition ? { ...change, outbox: [] } : change),
    })),
  },

  'nobody tells of the dead': {
    ports: inMemory((memory) => ({
      commit: (change) =>
        memory.commit(
          change.writes.some(({ name }) => name === 'told-of-the-dead') ? { ...change, outbox: [] } : change,
        ),
    })),
  },

  'that the dead are told of is noted before': {
    ports: inMemory((memory) => ({
      async commit(change) {
        if (!change.writes.some(({ name }) => name.startsWith('told-of-the-dead')))
          return memory.commit(change)
        const verdict = await memory.commit({ ...change, outbox: [] })
        return verdict === 'committed' ? memory.commit({ writes: [], outbox: change.outbox }) : verdict
      },
    })),
  },

  'the sweep cannot look at what is parked': {
    ports: (ports, process, world) =>
      process.kind === 'sweep'
        ? inHistory((history) => ({
            openMarks: async (query) => {
              if (query.state === 'parked') throw new Error('not now')
              return history.openMarks(query)
            },
          }))(ports, process, world)
        : ports,
  },
}

function withoutPending(write: MemoryWrite): MemoryWrite {
  const { progress, ...job } = write.value as { progress?: object }
  return progress === undefined
    ? write
    : { ...write, value: { ...job, progress: { ...progress, pending: [] } } }
}
