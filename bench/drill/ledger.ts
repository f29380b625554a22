import { randomUUID } from 'node:crypto'
import { deploymentFailed } from '../../events/deployment.failed.ts'
import { testCompleted } from '../../events/test.completed.ts'
import { seeded } from '../../test/world.ts'

/** What the drill sends, and what it was told of it: kept apart from everything that Loadpath writes. */

export type Door = 'http' | 'bus'
export type Sent = {
  id: string
  event: Record<string, unknown>
  door: Door
  /** does not fit its schema: to be refused over HTTP, and quarantined from the bus */
  poison: boolean
  /** the subscriber that it is for; undefined: nobody asked for this type */
  subscriber: 'notify' | 'track-build' | undefined
  /** of a good one for `track-build`: the one fact that it adds to what is known of a branch */
  fact?: { branch: string; suite: string; passed: number }
}

const source = '/drill'
/** As of a build with a matrix; each is one more fact in the record of its branch. */
const suitesOfBranch = 20

/** So many events about `repository`; a hundredth is poison, two thirds come over HTTP and the rest over the bus. */
export function make(count: number, seed: number, repository: string): Sent[] {
  const random = seeded(seed)
  let tested = 0
  return Array.from({ length: count }, (_, n) => {
    const id = randomUUID()
    const poison = random() < 0.01
    const door = random() < 2 / 3 ? 'http' : 'bus'
    const kind = random()
    const base = { specversion: '1.0', id, source }
    if (kind < 0.4 || poison) {
      const fact = { branch: `b${Math.floor(tested / suitesOfBranch)}`, suite: `s${tested}`, passed: n }
      const data = { ...testCompleted.example, ...fact, repository, failed: poison ? -1 : 0 }
      const event = { ...base, type: testCompleted.type, data }
      if (!poison) tested++
      return { id, event, door, poison, subscriber: 'track-build', ...(!poison && { fact }) }
    }
    if (kind < 0.8) {
      const data = { ...deploymentFailed.example, repository, reason: `drill ${n}` }
      const event = { ...base, type: deploymentFailed.type, data }
      return { id, event, door, poison, subscriber: 'notify' }
    }
    const event = { ...base, type: 'drill.happened', data: { n } }
    return { id, event, door, poison, subscriber: undefined }
  })
}
