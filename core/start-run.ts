import { identityOf } from './admit.ts'
import { Failure } from './errors.ts'
import type { WorkflowInput } from './frame.ts'
import type { Emission, HandledAny } from './handler.ts'
import { runName } from './identity.ts'
import type { Memory, Workflows } from './ports.ts'
import { open, runRecord } from './run.ts'

const tries = 5

/**
 * Starts the run that an event asks for. Its name follows from the event, so a second start is refused by Step
 * Functions and one event never runs twice. It is noted once it runs: a crash between the two starts it again, in vain,
 * and notes it then.
 */
export async function startRun(
  workflow: string,
  { event, replay, attempt, traceparent, now }: HandledAny,
  { memory, workflows }: { memory: Memory; workflows: Workflows },
): Promise<readonly Emission[]> {
  const { project, source, id, type, partitionkey, correlationid, hops } = event
  const run = runName(identityOf(event), workflow, replay, attempt)
  const input: WorkflowInput = {
    workflow,
    run,
    attempt,
    replay,
    event: { project, source, id, type, partitionkey, correlationid, hops, traceparent },
  }
  await workflows.start(workflow, run, input)
  await note(project, { workflow, run, started: now, event: { source, id, type }, attempt, replay }, memory)
  return []
}

async function note(project: string, opened: Parameters<typeof open>[1], memory: Memory): Promise<void> {
  for (let count = 0; count < tries; count++) {
    const record = await memory.get(runRecord(project, opened.workflow, opened.run))
    const write = open(project, opened, record)
    if (write === undefined) return
    if ((await memory.commit({ writes: [write], outbox: [] })) === 'committed') return
  }
  throw new Failure('Busy', `lost ${tries} races for the record of run ${opened.run}`)
}
