import { controlOf, controlRecord, heldBack } from '../../core/hold/control.ts'
import { jobOf, workflowOf } from '../../core/job/job.ts'
import type { DeliveryKey } from '../../core/ports.ts'
import { replayAsked } from '../../core/replay/replay-job.ts'
import { type Held, routeOf, type Wrong } from './held.ts'
import { runOf } from './job-operators.ts'
import { deliveryText, textOfEvent } from './observed.ts'

/** What must hold of what is held back, and of the work that people have asked for. */

/** What is parked is so because it is paused, its circuit is open, or something dead stands before it in its lane. */
export async function parkedHasItsReason(held: Held): Promise<Wrong[]> {
  const { stage, observed } = held
  const { memory } = stage.stored.real
  const parked = [...observed.deliveries.values()].filter(({ state }) => state === 'parked')
  const wrong = await Promise.all(
    parked.map(async (mark): Promise<Wrong[]> => {
      const { project, subscriber } = mark
      const route = routeOf(held, subscriber)
      const control = controlOf(await memory.get(controlRecord(project, subscriber)))
      const event = observed.events.get(`${project} ${mark.source} ${mark.id}`)?.stored.event
      if (heldBack(control, (event && route?.downstream?.(event)) ?? '') !== undefined) return []
      if ((await deadBefore(mark, held)) !== undefined) return []
      return [
        { message: `${deliveryText(mark)} is parked and nothing holds it: ${mark.reason}`, id: mark.id },
      ]
    }),
  )
  return wrong.flat()
}

/** What is dead and stands first in the lane of a delivery. */
export async function deadBefore({ project, subscriber, replay, ...about }: DeliveryKey, held: Held) {
  const { stage, observed } = held
  const event = observed.events.get(textOfEvent({ project, ...about }))?.stored.event
  if (event === undefined || !routeOf(held, subscriber)?.ordered) return undefined
  const { partitionkey } = event
  const [first] = await stage.stored.real.lanes.waiting({ project, subscriber, replay, partitionkey }, 1)
  const mark = first && observed.deliveries.get(deliveryText(first.key))
  return mark?.state === 'dead' ? mark : undefined
}

/** A lane is closed for something that waits in it, and open otherwise. */
export async function closedLanesHoldSomething({ stage, observed }: Held): Promise<Wrong[]> {
  const { lanes } = stage.stored.real
  const wrong = await Promise.all(
    // what has left the routes has nobody who opens its lanes; were it there again, the sweep would
    stage
      .deployed()
      .filter(({ ordered }) => ordered)
      .map(async ({ subscriber }): Promise<Wrong[]> => {
        const { items } = await lanes.closed({ project: 'main', subscriber, limit: 1000 })
        const empty = await Promise.all(
          items.map(async (lane) => {
            const waiting = await lanes.waiting(lane, 1000)
            const open = waiting.filter(({ key }) => {
              const state = observed.deliveries.get(deliveryText(key))?.state
              return state === 'dead' || state === 'parked'
            })
            return open.length === 0 ? [lane] : []
          }),
        )
        return empty.flat().map(({ partitionkey, reason }) => ({
          message: `the lane ${subscriber} ${partitionkey} is closed (${reason}) and nothing waits in it`,
        }))
      }),
  )
  return wrong.flat()
}

/** What somebody has asked for comes to an end, or its run does so that everybody sees it. */
export async function jobsEnd({ stage, observed }: Held): Promise<Wrong[]> {
  const { memory } = stage.stored.real
  const running = memory
    .all()
    .records.filter(({ kind }) => kind === 'job')
    .flatMap((record) => {
      const job = jobOf(record)
      return job?.state === 'running' ? [{ project: record.project, job }] : []
    })
  const wrong = await Promise.all(
    running.map(async ({ project, job }): Promise<Wrong[]> => {
      const { source, id } = job.request
      const workflow = workflowOf(job.kind)
      const started = deliveryText({ project, source, id, subscriber: workflow, replay: '' })
      const run = await stage.stored.workflows.describe(workflow, runOf(project, job))
      const isSeen = observed.deliveries.get(started)?.state !== 'done' || run?.status === 'FAILED'
      if (isSeen || (run === undefined && job.attempt > 1)) return []
      return [
        {
          message: `the ${job.kind} ${job.id} of ${job.subscriber} runs for ever: ${run?.status ?? 'no run'}`,
          id,
        },
      ]
    }),
  )
  return wrong.flat()
}

/** What is replayed to see what would come of it tells nobody. */
export function replaysEmitWhenAsked({ stage, observed }: Held): Wrong[] {
  const jobs = stage.stored.real.memory.all().records.flatMap((record) => {
    const job = record.kind === 'job' ? jobOf(record) : undefined
    return job?.kind === 'replay' ? [job] : []
  })
  const silent = new Set(
    jobs.filter(({ selection }) => !replayAsked.parse(selection).emit).map(({ id }) => id),
  )
  return [...observed.deliveries.values()]
    .filter(({ replay, emitted }) => silent.has(replay) && emitted.length > 0)
    .map((mark) => ({
      message: `${deliveryText(mark)} emitted ${mark.emitted.join(', ')} and was not to`,
      id: mark.id,
    }))
}
