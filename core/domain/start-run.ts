import { commitDecision } from '../commit-decision.ts'
import { identityOf } from '../event/admit.ts'
import type { Emission, HandledAny } from '../event/handler.ts'
import type { WorkflowInput } from '../frame.ts'
import { runName } from '../identity.ts'
import type { Memory, Workflows } from '../ports.ts'
import { open, runRecord } from './run.ts'

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
  const opened = { workflow, run, started: now, event: { source, id, type }, attempt, replay }
  await commitDecision(
    (change) => memory.commit(change),
    `the record of run ${run}`,
    async () => {
      const write = open(project, opened, await memory.get(runRecord(project, workflow, run)))
      return { change: write && { writes: [write], outbox: [] }, answer: undefined }
    },
  )
  return []
}
