import { consume } from '../../adapters/lambda/consume.ts'
import { buildRecord, track } from '../../core/domain/build.ts'
import { observe } from '../../core/domain/build-observation.ts'
import { routeTo } from '../../events/routes.ts'

/** Workflow runs, check suites and tests -> how each branch stands, in memory; build.status-changed when it changes. */
export const handler = consume(routeTo('track-build'), () => async (handled, memory) => {
  const observation = observe(handled)
  if (observation === undefined) return undefined
  const { project } = handled.event
  const record = await memory.get(buildRecord(project, observation.repository, observation.branch))
  return track(project, observation, record)
})
