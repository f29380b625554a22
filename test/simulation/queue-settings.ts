import { mostReceives, type Route } from '../../events/route.ts'
import type { QueueSettings } from './queues.ts'

const day = 86_400_000

/** Where the letters of ordered queues lie. */
export const orderedLetters = 'ordered-dead-letters'

/** Each queue as infra makes it. */
export const settingsOf =
  (routes: ReadonlyMap<string, Route>) =>
  (queue: string): QueueSettings => {
    const seconds = (timeout: number) => timeout * 6000
    if (queue === 'record')
      return {
        visibility: seconds(10),
        retention: 4 * day,
        ordered: false,
        fails: { to: 'dead-letters', after: 10 },
      }
    const route = routes.get(queue)
    if (route === undefined)
      return { visibility: seconds(30), retention: 14 * day, ordered: queue === orderedLetters }
    const fails = route.ordered
      ? { to: orderedLetters, after: 1000 }
      : { to: 'dead-letters', after: mostReceives(route) }
    return { visibility: seconds(route.timeout), retention: 4 * day, ordered: route.ordered === true, fails }
  }
