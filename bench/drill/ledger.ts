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
}

const source = '/drill'

/** So many events; a hundredth is poison, two thirds come over HTTP and the rest over the bus. */
export function make(count: number, seed: number): Sent[] {
  const random = seeded(seed)
  return Array.from({ length: count }, (_, n) => {
    const id = randomUUID()
    const poison = random() < 0.01
    const door = random() < 2 / 3 ? 'http' : 'bus'
    const kind = random()
    const base = { specversion: '1.0', id, source }
    if (kind < 0.4 || poison) {
      // always green: each change of a build's status would start a run of a workflow
      const failed = poison ? -1 : 0
      const data = { ...testCompleted.example, branch: `b${n % 20}`, failed }
      const event = { ...base, type: testCompleted.type, data }
      return { id, event, door, poison, subscriber: 'track-build' }
    }
    if (kind < 0.8) {
      const event = { ...base, type: deploymentFailed.type, data: deploymentFailed.example }
      return { id, event, door, poison, subscriber: 'notify' }
    }
    const event = { ...base, type: 'drill.happened', data: { n } }
    return { id, event, door, poison, subscriber: undefined }
  })
}
