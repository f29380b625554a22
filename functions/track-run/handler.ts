import { consume } from '../../adapters/lambda/consume.ts'
import { runRecord, track } from '../../core/domain/run.ts'
import { routeTo } from '../../events/routes.ts'

/** What Step Functions tells of an execution -> the run in memory. */
export const handler = consume(routeTo('track-run'), () => async (handled, memory) => {
  const { project } = handled.event
  const { workflow, run } = handled.data
  const write = track(project, handled, await memory.get(runRecord(project, workflow, run)))
  return write && { writes: [write], emits: [], sequence: write.version }
})
