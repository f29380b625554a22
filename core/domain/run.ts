import * as z from 'zod'
import type { DataOf } from '../../events/event-type.ts'
import type { RouteTo } from '../../events/routes.ts'
import type { workflowStarted } from '../../events/workflow.started.ts'
import type { Handled } from '../event/handler.ts'
import { canonicalJson } from '../identity.ts'
import type { MemoryRecord, MemoryWrite, RecordKey } from '../ports.ts'
import { after, day } from '../time.ts'

/**
 * The aggregate `run`: one execution of a workflow. It is told of twice, in any order: by start-workflow, which
 * knows what it was started for, and by Step Functions, which knows how it goes.
 */
const run = z.object({
  workflow: z.string(),
  run: z.string(),
  status: z.enum(['running', 'succeeded', 'failed']),
  started: z.iso.datetime(),
  ended: z.iso.datetime().optional(),
  error: z.string().optional(),
  cause: z.string().optional(),
  /** known once Step Functions has told of it */
  arn: z.string().optional(),
  /** the event it was started for; absent when somebody started the execution past Loadpath */
  event: z.object({ source: z.string(), id: z.string(), type: z.string() }).optional(),
  attempt: z.number().int().min(1),
  replay: z.string(),
})
export type Run = z.infer<typeof run>

/** That start-workflow has started it. `started`: ISO 8601, by our clock until Step Functions says its own. */
export type Opened = Required<Pick<Run, 'workflow' | 'run' | 'started' | 'event' | 'attempt' | 'replay'>>

type Told = Handled<RouteTo<'track-run'>>

export const runRecord = (project: string, workflow: string, run: string): RecordKey => ({
  project,
  kind: 'run',
  name: `${workflow}/${run}`,
})

/** @throws ZodError when the record was written by something else */
export const runOf = (record: MemoryRecord | undefined): Run | undefined => record && run.parse(record.value)

/** What start-workflow knows joins what is known already; it never reopens a run. */
export const evolveOpened = (state: Run | undefined, opened: Opened): Run => ({
  status: 'running',
  ...state,
  ...opened,
  started: state?.arn === undefined ? opened.started : state.started,
})

/** A status joins what is known already. The first end is final: a start that comes after it changes nothing. */
export function evolve(state: Run | undefined, { type, data }: Pick<Told, 'type' | 'data'>): Run {
  const known = { attempt: 1, replay: '', ...state, ...identified(data) }
  switch (type) {
    case 'workflow.started':
      return { ...known, status: state?.status ?? 'running' }
    case 'workflow.succeeded':
      return isOpen(state)
        ? { ...known, ...ending(data), status: 'succeeded' }
        : { ...known, status: state.status }
    case 'workflow.failed':
      return isOpen(state)
        ? { ...known, ...ending(data), status: 'failed' }
        : { ...known, status: state.status }
    default:
      return type satisfies never
  }
}

type Status = DataOf<typeof workflowStarted>

const isOpen = (state: Run | undefined): state is undefined | (Run & { status: 'running' }) =>
  state === undefined || state.status === 'running'

const identified = ({ workflow, run, arn, started }: Status) => ({ workflow, run, arn, started })

const ending = ({ ended, error, cause }: Status) => ({
  ...(ended === undefined ? {} : { ended }),
  ...(error === undefined ? {} : { error }),
  ...(cause === undefined ? {} : { cause }),
})

/** What is to be written when start-workflow has started a run; undefined when it is known already. */
export const open = (
  project: string,
  opened: Opened,
  record: MemoryRecord | undefined,
): MemoryWrite | undefined => write(project, evolveOpened(runOf(record), opened), record)

/** What is to be written when Step Functions tells of a run; undefined when it is nothing new. */
export const track = (
  project: string,
  told: Pick<Told, 'type' | 'data'>,
  record: MemoryRecord | undefined,
): MemoryWrite | undefined => write(project, evolve(runOf(record), told), record)

/** As long as Step Functions keeps a run and its name. */
const keptFor = 90 * day

function write(project: string, state: Run, record: MemoryRecord | undefined): MemoryWrite | undefined {
  if (record !== undefined && canonicalJson(record.value) === canonicalJson(state)) return undefined
  return {
    ...runRecord(project, state.workflow, state.run),
    version: (record?.version ?? 0) + 1,
    value: state,
    place: {
      list: state.status === 'running' ? 'runs/open' : 'runs/ended',
      order: new Date(state.started).toISOString(),
    },
    expires: state.status === 'running' ? undefined : after(state.ended ?? state.started, keptFor),
  }
}
