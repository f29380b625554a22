import { pause, resume } from '../../core/hold/pause.ts'
import { runName } from '../../core/identity.ts'
import {
  type Job,
  jobList,
  jobOf,
  pause as pauseJob,
  resume as resumeJob,
  workflowOf,
} from '../../core/job/job.ts'
import { startAttempt } from '../../core/job/job-batch.ts'
import { commandJob } from '../../core/job/job-command.ts'
import { dropDelivery, dropOpen } from '../../core/mend/drop.ts'
import { editDelivery } from '../../core/mend/edit.ts'
import { deliveriesOf } from '../../core/mend/open-delivery.ts'
import { redriveJob } from '../../core/mend/redrive.ts'
import { redriveEvent } from '../../core/mend/redrive-one.ts'
import type { DeliveryKey, History, Memory } from '../../core/ports.ts'
import { newRebuild } from '../../core/replay/rebuild.ts'
import { newReplay } from '../../core/replay/replay.ts'
import type { Route } from '../../events/route.ts'
import { approvalCommand } from './approval-operators.ts'
import { mendBooks } from './books.ts'
import type { Chance } from './chance.ts'
import { deliveryText, type Observed } from './observed.ts'
import type { Ports } from './ports.ts'
import { quarantineCommand, redriveAll } from './quarantine-operators.ts'

/** People who mend things while everything goes on: each command as the API gives it, in a process that may fail. */

/** `of`: what the API has of its own for it, and what it sends is no redrive */
export type Command = {
  name: string
  of?: 'quarantine' | 'books'
  run: (ports: Ports) => Promise<unknown>
  /** what they do next, after so many milliseconds */
  next?: readonly [number, Command][]
}

const by = 'user:op'
const rates = [1, 5, 50] as const

export function operators({
  chance,
  observed,
  routes,
  began,
  now,
  projects,
}: {
  chance: Chance
  observed: Observed
  routes: readonly Route[]
  /** when it all began, ISO 8601 */
  began: string
  now: () => number
  projects: readonly [string, ...string[]]
}) {
  const open = (state: 'dead' | 'parked') =>
    [...observed.deliveries.values()].filter((mark) => mark.state === state)
  const oneOf = <T>(items: readonly T[]): T | undefined => items[Math.floor(chance.random() * items.length)]
  const ordered = new Set(routes.filter((route) => route.ordered).map(({ subscriber }) => subscriber))
  const pausable = routes.filter(({ unpausable, kind }) => unpausable === undefined && kind === 'function')

  const asked = (ports: Ports) => ({ id: ports.newId(), by, asked: ports.clock(), rate: chance.pick(rates) })
  // clocks are wrong: what was received a little before it all began belongs to it
  const selection = { since: new Date(Date.parse(began) - 3_600_000).toISOString() }

  /** What somebody would do who looks at what there is; undefined: nothing to be done. */
  function command(): Command | undefined {
    // what is dead in a lane holds others back
    const inLanes = chance.is(0.5) ? open('dead').filter(({ subscriber }) => ordered.has(subscriber)) : []
    const dead = oneOf(inLanes) ?? oneOf(open('dead'))
    const held = oneOf([...open('dead'), ...open('parked')])
    const route = oneOf(pausable)
    switch (chance.whole(0, 14)) {
      case 0:
      case 1:
        return (
          dead && {
            name: `redrive ${dead.id} of ${dead.subscriber}`,
            run: (ports) => redrive(dead, ports),
          }
        )
      case 2:
        return dead && redriveDead(dead.project, dead.subscriber)
      case 3:
        return held && { name: `drop ${held.id} of ${held.subscriber}`, run: (ports) => drop(held, ports) }
      case 4:
        return dead && { name: `edit ${dead.id} of ${dead.subscriber}`, run: (ports) => edit(dead, ports) }
      case 5:
        return route && paused(route.subscriber)
      case 6:
        return route && resumed(route.subscriber)
      case 7:
        return route && replayOrRebuild(route)
      case 8:
      case 9:
        return quarantineCommand(chance.pick(projects), { chance, observed, now })
      case 10:
      case 11:
        return approvalCommand(chance.pick(projects), { chance, observed })
      case 12:
        return mendBooks(chance.pick(projects), observed)
      case 13:
        return (
          dead && {
            name: `drop all that is dead of ${dead.subscriber}`,
            run: (ports) => dropAll(dead, ports),
          }
        )
      default:
        return { name: 'pause or resume a job', run: (ports) => meddle(ports) }
    }
  }

  const redriveDead = (project: string, subscriber: string): Command => ({
    name: `redrive all that is dead of ${subscriber}`,
    run: async (ports) => {
      const stopAfter = chance.pick([undefined, undefined, 1, 2])
      const wanted = { ...asked(ports), subscriber, subscribers: [subscriber], selection: {}, stopAfter }
      const { write, outbox } = redriveJob(project, wanted)
      return ports.memory.commit({ writes: [write], outbox })
    },
  })

  const paused = (subscriber: string): Command => ({
    name: `pause ${subscriber}`,
    run: (ports) => pause({ project: 'main', subscriber, by }, ports),
  })

  const resumed = (subscriber: string): Command => ({
    name: `resume ${subscriber}`,
    run: (ports) => goOn('main', subscriber, ports),
  })

  const goOn = (project: string, subscriber: string, ports: Ports) =>
    resume({ project, subscriber, by, rate: chance.pick(rates), circuits: chance.is(0.3) }, ports)

  async function redrive(key: DeliveryKey, ports: Ports): Promise<void> {
    for (const { subscriber, replay, outcome } of await redriveEvent(key, key, by, ports)) {
      if (outcome !== 'sent' && outcome !== 'delayed') continue
      const text = deliveryText({ ...key, subscriber, replay })
      observed.redriven.set(text, (observed.redriven.get(text) ?? 0) + 1)
    }
  }

  async function drop(key: DeliveryKey, ports: Ports): Promise<unknown> {
    const [found] = await deliveriesOf(key, key, ports.history)
    return found && dropDelivery(found, { by, reason: 'nobody needs it' }, ports)
  }

  async function dropAll({ project, subscriber }: DeliveryKey, ports: Ports): Promise<void> {
    const what = { project, subscribers: [subscriber], state: 'dead', selection: {} } as const
    const before = ports.clock()
    let from: Parameters<typeof dropOpen>[0]['from']
    do {
      const how = { by, reason: 'nobody needs them' }
      const { dropped, next } = await dropOpen({ ...what, before, from }, how, ports)
      if (dropped > 1) observed.sometimes('dead letters are dropped together')
      from = next
    } while (from !== undefined)
  }

  async function edit(key: DeliveryKey, ports: Ports): Promise<unknown> {
    const [found] = await deliveriesOf(key, key, ports.history)
    const event = found?.stored?.event
    const data = event?.data
    if (found === undefined || data === null || typeof data !== 'object') return undefined
    observed.sometimes('a dead letter is edited')
    return editDelivery(found, { ...data, ...mended(event?.type ?? '') }, by, ports)
  }

  function replayOrRebuild({ subscriber, effect }: Route): Command {
    const project = 'main'
    if (effect === 'outside')
      return {
        name: `replay ${subscriber}`,
        run: (ports) => {
          const emit = chance.is(0.3) ? { emit: true } : {}
          const { write, outbox } = newReplay(
            { project, ...asked(ports) },
            subscriber,
            { ...selection, ...emit },
            ports.routes,
          )
          observed.sometimes('something is replayed')
          return ports.memory.commit({ writes: [write], outbox })
        },
      }
    const pauses = chance.between(2000, 40_000)
    return {
      name: `rebuild ${subscriber}`,
      next: [
        [pauses, paused(subscriber)],
        [pauses + chance.between(1000, 40_000), resumed(subscriber)],
      ],
      run: (ports) => {
        const how = chance.is(0.4) ? { ...selection, switch: true } : selection
        if (how !== selection) observed.guessed.add('what a rebuild has put in its place')
        const { job, write, outbox } = newRebuild(
          { project, ...asked(ports) },
          subscriber,
          selection,
          ports.routes,
        )
        // nobody may ask for a time and a switch: it spares a walk through the empty weeks before all began
        const value = { ...job, selection: how }
        observed.sometimes('something is rebuilt')
        return ports.memory.commit({ writes: [{ ...write, value }], outbox })
      },
    }
  }

  async function meddle({ memory, ...ports }: Ports): Promise<unknown> {
    const job = oneOf(await jobsOf('main', memory))
    if (job === undefined || job.state === 'done' || job.state === 'stopped') return undefined
    if (job.state === 'running')
      return commandJob({ project: 'main', id: job.id, by, to: 'paused' }, memory, pauseJob)
    return goOnWith('main', job, { memory, ...ports })
  }

  async function goOnWith(
    project: string,
    job: Job,
    { memory, history, queues, clock }: Pick<Ports, 'memory' | 'history' | 'queues' | 'clock'>,
  ) {
    const { source, id } = job.request
    const event = await eventOf({ project, source, id }, history)
    const command = { project, id: job.id, by, to: 'resumed' } as const
    const resumed = await commandJob(command, memory, (now) => resumeJob(now, clock))
    return startAttempt(workflowOf(resumed.kind), { event, replay: '', attempt: resumed.attempt }, queues)
  }

  /** When nothing goes wrong any more, what somebody has paused or let lie goes on. */
  function tidyUp(isRunning: (workflow: string, run: string) => boolean): Command[] {
    return projects.flatMap((project) => [
      redriveAll(project),
      ...pausable.map(({ subscriber }) => ({
        name: `resume ${subscriber}`,
        run: (ports: Ports) => goOn(project, subscriber, ports),
      })),
      {
        name: 'resume what was paused or interrupted',
        run: async (ports: Ports) => {
          const stopped = (await jobsOf(project, ports.memory)).filter(
            (job) =>
              (job.state === 'running' || job.state === 'paused') &&
              !isRunning(workflowOf(job.kind), runOf(project, job)),
          )
          // one that cannot go on yet keeps no other from going on
          const ends = await Promise.allSettled(stopped.map((job) => goOnWith(project, job, ports)))
          for (const end of ends) if (end.status === 'rejected') throw end.reason
        },
      },
    ])
  }

  /** What waits in lanes is sent on, while everything goes on. */
  const mendLanes = (): Command[] =>
    [...ordered].flatMap((subscriber) => [resumed(subscriber), redriveDead('main', subscriber)])

  return { command, tidyUp, mendLanes }
}

export const runOf = (project: string, { kind, request, attempt }: Job): string =>
  runName({ project, source: request.source, id: request.id }, workflowOf(kind), '', attempt)

const jobsOf = async (project: string, memory: Pick<Memory, 'list'>): Promise<Job[]> => {
  const { items } = await memory.list({ project, list: jobList, limit: 100 })
  return items.flatMap((item) => jobOf(item) ?? [])
}

async function eventOf(
  identity: { project: string; source: string; id: string },
  history: Pick<History, 'getEvents'>,
) {
  const [stored] = await history.getEvents([identity])
  if (stored === undefined) throw new Error(`the request ${identity.id} is not recorded yet`)
  return stored.event
}

/** Something about it that is different now, and fits. */
function mended(type: string): object {
  switch (type) {
    case 'github.push':
      return { forced: true }
    case 'deployment.failed':
      return { environment: 'mended' }
    case 'acme.ordered':
      return { mended: true }
    default:
      return { commit: 'mended' }
  }
}
