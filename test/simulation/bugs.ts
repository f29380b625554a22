import type { SQSBatchResponse } from 'aws-lambda'
import type { Identity } from '../../events/envelope.ts'
import { subscribersOf } from '../../events/route.ts'
import { bugsOfHandling } from './bugs-of-handling.ts'
import { holdingBugs } from './bugs-of-holding.ts'
import { jobBugs } from './bugs-of-jobs.ts'
import { laneBugs } from './bugs-of-lanes.ts'
import { mendingBugs } from './bugs-of-mending.ts'
import { refusalBugs } from './bugs-of-refusals.ts'
import {
  type Bug,
  consumes,
  type Frame,
  inHistory,
  inMemory,
  inSends,
  isRecord,
  methodsOf,
  reframed,
} from './planting.ts'

/**
 * Mistakes that somebody could make, each planted around the real code: the simulation has to find every one of them, or
 * it could find nothing.
 */
export const bugs: Readonly<Record<string, Bug>> = {
  'dedupe is off': {
    ports: inHistory((history) => ({
      insertEvents: async (events) =>
        (await history.insertEvents(events)).map((verdict) =>
          verdict.verdict === 'exists' ? { verdict: 'inserted' } : verdict,
        ),
    })),
  },

  'identity is without its source': {
    ports: inHistory((history, _, { stored }) => {
      const taken = async ({ project, id, source }: Identity) =>
        (await stored.real.history.sourcesOf(project, id)).find((other) => other !== source)
      const known = async (identity: Identity) => ({
        ...identity,
        source: (await taken(identity)) ?? identity.source,
      })
      return {
        insertEvents: async (events) => {
          const others = await Promise.all(events.map(({ event }) => taken(event)))
          const fresh = events.filter((_, index) => others[index] === undefined)
          const verdicts = await history.insertEvents(fresh)
          return events.map((stored) => verdicts[fresh.indexOf(stored)] ?? { verdict: 'exists' })
        },
        fate: async (identity, read) => history.fate(await known(identity), read),
      }
    }),
  },

  'partial batch failures are ignored': {
    entry: (entry, { kind }) =>
      kind === 'record'
        ? async (event, context) => {
            await entry(event, context)
            return { batchItemFailures: [] } satisfies SQSBatchResponse
          }
        : entry,
  },

  'partial batch failures of handlers are ignored': {
    entry: (entry, process) =>
      consumes(process)
        ? async (event, context) => {
            await entry(event, context)
            return { batchItemFailures: [] } satisfies SQSBatchResponse
          }
        : entry,
  },

  'FailedEntryCount is ignored': {
    ports: (ports) => ({
      ...ports,
      eventsBus: {
        put: async (entries) => {
          await ports.eventsBus.put(entries)
          return []
        },
      },
    }),
  },

  'failures of SendMessageBatch are ignored': {
    ports: inSends((send) => async (queue, messages) => {
      await send(queue, messages)
      return []
    }),
  },

  'the outbox is lost': {
    ports: inMemory((memory, process) => ({
      commit: (change) => memory.commit(consumes(process) ? { ...change, outbox: [] } : change),
    })),
  },

  'derived ids are random': {
    ports: inSends((send, process, chance) =>
      reframed(
        (queue) => isRecord(queue) && consumes(process),
        (frame) => (frame.door === 'emit' ? { ...frame, again: String(chance.random()) } : frame),
      )(send),
    ),
  },

  'the outbox item goes before it is sent': {
    ports: inMemory((memory, { kind }) => ({
      outbox: async (project, partitionkey) => {
        const items = await memory.outbox(project, partitionkey)
        if (kind === 'relay') await memory.removeFromOutbox(items)
        return items
      },
    })),
  },

  'there is no hop limit': {
    ports: inSends((send, process) =>
      reframed(
        (queue) => isRecord(queue) && consumes(process),
        (frame) => (frame.cause === undefined ? frame : { ...frame, cause: { ...frame.cause, hops: 0 } }),
      )(send),
    ),
  },

  'what is expected is computed anew': {
    ports: inHistory((history, { routes }) => ({
      fate: async (identity, read) => {
        const fate = await history.fate(identity, read)
        const { stored } = fate
        if (stored === undefined) return fate
        const { type, data } = stored.event
        try {
          return { ...fate, stored: { ...stored, expects: subscribersOf(routes, type, data) } }
        } catch {
          // a condition looks at data that lies in the bucket
          return fate
        }
      },
    })),
  },

  'the sweep sends during a backlog': {
    ports: (ports) => ({ ...ports, queues: { send: ports.queues.send, depth: async () => 0 } }),
  },

  'the stream is trusted': {
    ports: inMemory((memory, { kind }) => ({
      outbox: async (project, partitionkey) => {
        const items = await memory.outbox(project, partitionkey)
        // the one that it was woken for, whatever stands before it
        return kind === 'relay' ? items.slice(-1) : items
      },
    })),
  },

  'dead letters are thrown away': {
    entry: (entry, { kind }) => (kind === 'dead-letter' ? async () => ({ batchItemFailures: [] }) : entry),
  },

  'the sweep never runs': {
    entry: (entry, { kind }) => (kind === 'sweep' ? async () => undefined : entry),
  },

  'what is sent again does not say so': {
    ports: inSends((send) =>
      reframed(
        (queue) => !isRecord(queue),
        ({ resent: _, ...frame }) => frame as Frame,
      )(send),
    ),
  },

  'the timeline page is left out': {
    ports: inHistory(() => ({ putPage: async () => undefined })),
  },

  'http answers before it is kept': {
    ports: inSends((send, { kind }) => async (queue, messages) => {
      const failures = await send(queue, messages).catch(() => [])
      return kind === 'ingest' && isRecord(queue) ? [] : failures
    }),
  },

  'copies of a webhook are taken for new': {
    ports: (ports) => ({
      ...ports,
      ephemeral: { ...methodsOf(ports.ephemeral), putIfAbsent: async (_, value) => value },
    }),
  },

  'the end of a run is not asked for': {
    ports: (ports, { kind }) =>
      kind === 'sweep'
        ? { ...ports, workflows: { ...methodsOf(ports.workflows), describe: async () => undefined } }
        : ports,
  },

  'what is known is called a conflict': {
    ports: inHistory((history) => ({
      fate: async (identity, read) => {
        const fate = await history.fate(identity, read)
        return fate.stored === undefined ? fate : { ...fate, stored: { ...fate.stored, content: 'other' } }
      },
    })),
  },

  'the sweep goes on without waiting': {
    ports: (ports, { kind }) =>
      kind === 'sweep'
        ? { ...ports, clock: () => new Date(Date.parse(ports.clock()) + 15 * 60_000).toISOString() }
        : ports,
  },

  ...bugsOfHandling,
  ...mendingBugs,
  ...holdingBugs,
  ...refusalBugs,
  ...laneBugs,
  ...jobBugs,
}
