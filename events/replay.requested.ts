import * as z from 'zod'
import { defineEvent } from './event-type.ts'
import { replaySelection } from './replay.ts'

export const replayRequested = defineEvent({
  type: 'replay.requested',
  description:
    'Events of the history are to be handed to one subscriber again, or its records rebuilt from them.',
  origin: 'ours',
  retention: 'audit',
  schema: () =>
    z.object({
      job: z.string(),
      kind: z.enum(['replay', 'rebuild']),
      subscriber: z.string(),
      /** deliveries a second */
      rate: z.number().int().min(1),
      selection: replaySelection(),
      /** of a replay: what it emits is sent, under ids of its own, instead of compared */
      emit: z.boolean().optional(),
      /** of a rebuild: live records that differ are replaced */
      switch: z.boolean().optional(),
    }),
  partitionkey: (data) => `job/${data.job}`,
  example: {
    job: '5f0e9d0f1c1c9b4d8a11',
    kind: 'replay',
    subscriber: 'notify',
    rate: 50,
    selection: { type: 'deployment.failed', since: '2026-01-01T12:00:00.000Z' },
  },
})
