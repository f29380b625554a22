import type { SQSEvent, SQSRecord } from 'aws-lambda'
import { idempotencyKey } from '../../core/identity.ts'
import { type Bug, consumes, inHistory, inMemory } from './planting.ts'

/** The same of what handles: its attempts, marks and changes. */
export const bugsOfHandling: Readonly<Record<string, Bug>> = {
  'the marker is written before the effect': {
    handler:
      (handler, route, { history, clock }) =>
      async (handled, memory) => {
        const { project, source, id } = handled.event
        const now = clock()
        if (route.effect === 'outside' && handled.replay === '')
          await history.mark(
            { project, source, id, subscriber: route.subscriber, replay: '' },
            { state: 'done', attempts: 1, started: now, changed: now, emitted: [] },
          )
        return handler(handled, memory)
      },
  },

  'a mark overwrites what is done': {
    // however it is written: at the first receive, or by what was read of it
    ports: (ports, process, world) =>
      consumes(process)
        ? inHistory((history, _, { stored }) => ({
            mark: async (key, delivery) => {
              const written = await history.mark(key, delivery)
              if (!written && delivery.state !== 'done') stored.overwrite({ ...delivery, ...key })
              return true
            },
            transition: async (change) => {
              const written = await history.transition(change)
              if (!written && change.next.state !== 'done')
                stored.overwrite({ ...change.next, ...change.key })
              return true
            },
            insertDeliveries: async (marks) => {
              const verdicts = await history.insertDeliveries(marks)
              for (const [index, mark] of marks.entries())
                if (verdicts[index]?.verdict === 'exists' && mark.state !== 'done') stored.overwrite(mark)
              return verdicts
            },
          }))(ports, process, world)
        : ports,
  },

  'what cannot be looked up is taken for new': {
    ports: (ports, process, world) =>
      consumes(process)
        ? inHistory((history) => ({
            getDeliveries: (keys) => history.getDeliveries(keys).catch(() => keys.map(() => undefined)),
          }))(ports, process, world)
        : ports,
  },

  'a change is committed without its marker': {
    ports: inMemory((memory) => ({
      commit: async ({ mark, ...change }) => {
        const verdict = await memory.commit(change)
        if (verdict !== 'committed' || mark === undefined) return verdict
        return memory.commit({ writes: [], outbox: [], mark })
      },
    })),
  },

  'the version of a record is not looked at': {
    ports: inMemory((memory, process, stored) => ({
      commit: async (change) => {
        if (!consumes(process)) return memory.commit(change)
        const { records } = stored.real.memory.all()
        const versionOf = ({ project, kind, name }: { project: string; kind: string; name: string }) =>
          records.find((one) => one.project === project && one.kind === kind && one.name === name)?.version ??
          0
        return memory.commit({
          ...change,
          writes: change.writes.map((write) => ({ ...write, version: versionOf(write) + 1 })),
        })
      },
    })),
  },

  'attempts are not counted': {
    entry: (entry, process) =>
      consumes(process)
        ? (event, context) => {
            const { Records } = event as SQSEvent
            const once = Records.map((record) => ({
              ...record,
              attributes: { ...record.attributes, ApproximateReceiveCount: '2' },
            }))
            return entry({ Records: once } as never, context)
          }
        : entry,
  },

  'one receive counts as two': {
    entry: (entry, process) =>
      consumes(process)
        ? (event, context) =>
            entry({ Records: (event as SQSEvent).Records.map(countedTwice) } as never, context)
        : entry,
  },

  'a terminal failure is tried again': {
    handler: (handler) => async (handled, memory) => {
      try {
        return await handler(handled, memory)
      } catch (error) {
        throw new Error(`wrapped: ${error}`)
      }
    },
  },

  'each attempt has its own idempotency key': {
    handler: (handler, { subscriber }) => {
      let count = 0
      return (handled, memory) =>
        handler(
          { ...handled, idempotencyKey: `${idempotencyKey(handled.event, subscriber, '')}${count++}` },
          memory,
        )
    },
  },
}

const countedTwice = (record: SQSRecord): SQSRecord => ({
  ...record,
  attributes: {
    ...record.attributes,
    ApproximateReceiveCount: String(Number(record.attributes.ApproximateReceiveCount) + 1),
  },
})
