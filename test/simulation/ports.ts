import type { Hide } from '../../adapters/lambda/hide.ts'
import type { AccountProjects } from '../../core/event/arrival.ts'
import type { Lanes } from '../../core/lane/lane.ts'
import type {
  Bodies,
  Clock,
  Ephemeral,
  History,
  Memory,
  Queues,
  Random,
  Workflows,
} from '../../core/ports.ts'
import type { Route } from '../../events/route.ts'
import type { Downstream, EventsBus } from './handlers.ts'

/** What one environment of a function is given: whichever of it the function needs. */
export type Ports = {
  history: History
  memory: Memory
  lanes: Lanes
  bodies: Bodies
  ephemeral: Ephemeral
  queues: Queues
  workflows: Workflows
  downstream: Downstream
  eventsBus: EventsBus
  clock: Clock
  random: Random
  routes: readonly Route[]
  accounts: AccountProjects
  stage: string
  newId: () => string
  hide: Hide
  pause: (milliseconds: number) => Promise<void>
}
