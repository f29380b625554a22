import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { isAwsError } from '../../adapters/aws/clients.ts'
import { Failure, isBusy } from '../../core/errors.ts'
import { isGarbage } from './doors.ts'
import { type Bug, consumes, type Entry, inHistory, inMemory, inSends, methodsOf } from './planting.ts'

/** The same of what is refused: by a transaction in its way, a key that may not be used, a size, or as no message of ours. */

const ifMet =
  <Value>(value: Value) =>
  (error: unknown): Value => {
    if (isBusy(error) || isAwsError(error, 'TransactionConflictException')) return value
    throw error
  }

const isDenied = (error: unknown): boolean =>
  error instanceof Error && /AccessDenied|may not be used/.test(`${error.name} ${error.message}`)

const ifDenied =
  <Value>(value: Value) =>
  (error: unknown): Value => {
    if (isDenied(error)) return value
    throw error
  }

const isOrderedGarbage = ({ body, attributes }: SQSRecord): boolean =>
  isGarbage(body) && attributes.MessageGroupId !== undefined

const fits = 262_144

export const refusalBugs: Readonly<Record<string, Bug>> = {
  'a transaction in the way of a mark is taken for another mark': {
    ports: inHistory((history) => ({
      mark: (key, delivery) => history.mark(key, delivery).catch(ifMet(false)),
      transition: (change) => history.transition(change).catch(ifMet(false)),
    })),
  },

  'a transaction in the way of a lane is taken for a place in it': {
    ports: (ports) => ({
      ...ports,
      lanes: {
        ...methodsOf(ports.lanes),
        wait: (...args) => ports.lanes.wait(...args).catch(ifMet('waits' as const)),
      },
    }),
  },

  'a transaction in the way of an insert is taken for an event that is there': {
    ports: inHistory((history) => ({
      insertEvents: async (events) =>
        (await history.insertEvents(events)).map((verdict) =>
          verdict.verdict === 'failed' && isAwsError(verdict.error, 'TransactionConflictException')
            ? { verdict: 'inserted' }
            : verdict,
        ),
    })),
  },

  'a denied lane is taken for an open one': {
    ports: (ports) => ({
      ...ports,
      lanes: {
        ...methodsOf(ports.lanes),
        lane: (lane) => ports.lanes.lane(lane).catch(ifDenied(undefined)),
        waiting: (lane, limit) => ports.lanes.waiting(lane, limit).catch(ifDenied([])),
      },
    }),
  },

  'a denied bus is taken for one that has it': {
    ports: (ports) => ({
      ...ports,
      eventsBus: {
        put: async (entries) => (await ports.eventsBus.put(entries)).filter(({ error }) => !isDenied(error)),
      },
    }),
  },

  'what is too large to be committed is decided again for ever': {
    ports: inMemory((memory) => ({
      commit: (change) =>
        memory.commit(change).catch((error: unknown) => {
          if (error instanceof Failure && error.code === 'TooLarge') return 'version conflict'
          throw error
        }),
    })),
  },

  'one that is too large is answered for its whole request': {
    entry: (entry, { kind }) =>
      kind === 'ingest'
        ? async (event, context) => {
            const answer = (await entry(event, context)) as { body: unknown }
            const parts = Array.isArray(answer.body) ? (answer.body as { status: number }[]) : []
            if (!parts.some(({ status }) => status === 413)) return answer
            return { ...answer, body: parts.map((part) => ({ ...part, status: 413 })) }
          }
        : entry,
  },

  'what is too long together is not sent in parts': {
    ports: inSends((send) => async (queue, messages) => {
      const bytes = messages.map((one) => Buffer.byteLength(typeof one === 'string' ? one : one.body))
      if (bytes.length < 2 || bytes.reduce((sum, size) => sum + size) <= fits) return send(queue, messages)
      const error = new Error('BatchRequestTooLong: it is too much')
      return messages.map((_, index) => ({ index, error }))
    }),
  },

  'garbage on an ordered queue answers its whole batch': {
    entry: (entry, process) =>
      consumes(process)
        ? async (event, context) => {
            const failed = (event as SQSEvent).Records.filter(isOrderedGarbage)
            if (failed.length === 0) return entry(event, context)
            const batchItemFailures = failed.map(({ messageId }) => ({ itemIdentifier: messageId }))
            return { batchItemFailures } satisfies SQSBatchResponse
          }
        : entry,
  },

  'garbage on an ordered queue is thrown away': {
    entry: (entry, process) => (consumes(process) ? withoutGarbage(entry) : entry),
  },

  'garbage among the ordered letters is thrown away': {
    entry: (entry, { kind }) => (kind === 'dead-letter' ? withoutGarbage(entry) : entry),
  },
}

const withoutGarbage =
  (entry: Entry): Entry =>
  (event, context) => {
    const Records = (event as SQSEvent).Records.filter((record) => !isOrderedGarbage(record))
    return entry({ Records } as never, context)
  }
