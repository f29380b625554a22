import { commitDecision } from '../commit-decision.ts'
import { identityOf } from '../event/admit.ts'
import type { Emission, HandledAny } from '../event/handler.ts'
import type { WorkflowInput } from '../frame.ts'
import { runName } from '../identity.ts'
import type { Memory, Workflows } from '../ports.ts'
import { type Opened, open, runRecord } from './run.ts'

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
  const nameOf = (which: number) => runName(identityOf(event), workflow, replay, which)
  const noteAs = (which: number, started: string) => {
    const opened = {
      workflow,
      run: nameOf(which),
      started,
      event: { source, id, type },
      attempt: which,
      replay,
    }
    return note(project, opened, memory)
  }
  const unheard = await lastUnheard(project, workflow, { nameOf, attempt }, { memory, workflows })
  if (unheard !== undefined) await noteAs(unheard.attempt, unheard.started)
  const run = nameOf(attempt)
  const input: WorkflowInput = {
    workflow,
    run,
    attempt,
    replay,
    event: { project, source, id, type, partitionkey, correlationid, hops, traceparent },
  }
  await workflows.start(workflow, run, input)
  await noteAs(attempt, now)
  return []
}

async function note(project: string, opened: Opened, memory: Memory): Promise<void> {
  await commitDecision(
    (change) => memory.commit(change),
    `the record of run ${opened.run}`,
    async () => {
      const key = runRecord(project, opened.workflow, opened.run)
      const write = open(project, opened, await memory.get(key))
      return { change: write && { writes: [write], outbox: [] }, answer: undefined }
    },
  )
}

/**
 * The run of an earlier attempt that nobody has noted: its start was never answered, and the sweep asks after those alone
 * that are noted. As each attempt looks before it starts, none before one that was started is left.
 */
async function lastUnheard(
  project: string,
  workflow: string,
  { nameOf, attempt }: { nameOf: (attempt: number) => string; attempt: number },
  { memory, workflows }: { memory: Memory; workflows: Workflows },
): Promise<{ attempt: number; started: string } | undefined> {
  for (let earlier = attempt - 1; earlier >= 1; earlier--) {
    const run = nameOf(earlier)
    if ((await memory.get(runRecord(project, workflow, run))) !== undefined) return undefined
    const found = await workflows.describe(workflow, run)
    if (found !== undefined) return { attempt: earlier, started: found.started }
  }
  return undefined
}
