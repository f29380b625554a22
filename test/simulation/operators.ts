import { everyone, pause, resume } from '../../core/hold/pause.ts'
import type { Route } from '../../events/route.ts'
import { by, rates } from './api-requests.ts'
import { approvalCommand } from './approval-operators.ts'
import { mendBooks } from './books.ts'
import type { Chance } from './chance.ts'
import { jobOperators } from './job-operators.ts'
import { type Observed, textOfEvent } from './observed.ts'
import { clocksOfRebuilds } from './options.ts'
import type { Ports } from './ports.ts'
import { quarantineCommand, redriveAll } from './quarantine-operators.ts'
import { redriveOperators } from './redrive-operators.ts'
import { replayOperators } from './replay-operators.ts'

/** People who mend things while everything goes on: each command as the API gives it, in a process that may fail. */

/** `of`: what the API has of its own for it, and what it sends is no redrive */
export type Command = {
  name: string
  of?: 'quarantine' | 'books'
  run: (ports: Ports) => Promise<unknown>
  /** what they do next, after so many milliseconds */
  next?: readonly [number, Command][]
}

export function operators({
  chance,
  observed,
  routes,
  began,
  now,
  projects,
  skew,
}: {
  chance: Chance
  observed: Observed
  routes: readonly Route[]
  /** when it all began, ISO 8601 */
  began: string
  now: () => number
  projects: readonly [string, ...string[]]
  /** milliseconds that clocks are wrong by at most */
  skew: number
}) {
  const open = (state: 'dead' | 'parked') =>
    [...observed.deliveries.values()].filter((mark) => mark.state === state)
  const oneOf = <T>(items: readonly T[]): T | undefined => items[Math.floor(chance.random() * items.length)]
  const ordered = new Set(routes.filter((route) => route.ordered).map(({ subscriber }) => subscriber))
  const pausable = routes.filter(({ unpausable }) => unpausable === undefined)
  const names = routes.map(({ subscriber }) => subscriber)

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

  /** Everything stands still for a while. */
  const pausedAll = (project: string): Command => ({
    name: 'pause all',
    next: [[chance.rate(5000, 300_000), resumedAll(project)]],
    async run(ports) {
      await pause({ project, subscriber: everyone, by, reason: 'somebody looks' }, ports)
      observed.sometimes('everything is paused')
    },
  })

  const resumedAll = (project: string): Command => ({
    name: 'resume all',
    async run(ports) {
      const resumed = await goOn(project, everyone, ports)
      if (resumed.some(({ job }) => job !== undefined)) observed.sometimes('everything is resumed')
    },
  })

  const deadOfSeveral = () =>
    [...Map.groupBy(open('dead'), textOfEvent).values()].flatMap((marks) => (marks.length > 1 ? marks : []))

  const redrives = redriveOperators({ chance, observed })
  const { replayOrRebuild, switchedTo } = replayOperators({
    ...{ chance, observed, paused, resumed },
    // clocks are wrong: what was received a little before it all began belongs to it
    since: new Date(Date.parse(began) - 3_600_000).toISOString(),
    maySwitch: skew <= clocksOfRebuilds,
  })
  const jobs = jobOperators({ chance, observed })

  /** What somebody would do who looks at what there is; undefined: nothing to be done. */
  const command = (): Command | undefined => wanted() ?? jobs.retry()

  function wanted(): Command | undefined {
    // what is dead in a lane holds others back
    const inLanes = chance.is(0.5) ? open('dead').filter(({ subscriber }) => ordered.has(subscriber)) : []
    const dead = oneOf(inLanes) ?? oneOf(open('dead'))
    const held = oneOf([...open('dead'), ...open('parked')])
    const route = oneOf(pausable)
    const project = chance.pick(projects)
    switch (chance.whole(0, 20)) {
      case 0:
        return dead && redrives.redriveOne(dead)
      case 18: {
        const several = oneOf(deadOfSeveral())
        return several && redrives.redriveOne(several, true)
      }
      case 1:
      case 2:
        return dead && redrives.redriveSome(dead, names)
      case 3:
        return held && redrives.dropOne(held)
      case 4:
        return dead && redrives.editOne(dead)
      case 5:
        return route && paused(route.subscriber)
      case 6:
        return route && resumed(route.subscriber)
      case 7:
      case 16:
      case 17:
        return route && replayOrRebuild(route)
      case 8:
      case 9:
        return quarantineCommand(project, { chance, observed, now })
      case 10:
      case 11:
        return approvalCommand(project, { chance, observed })
      case 12:
        return mendBooks(project, observed)
      case 13:
        return dead && redrives.dropSome(dead)
      case 14:
        return pausedAll(project)
      case 15:
        return jobs.retry()
      default:
        return jobs.meddle(project)
    }
  }

  /** When nothing goes wrong any more, what somebody has paused or let lie goes on. */
  function tidyUp(isRunning: (workflow: string, run: string) => boolean): Command[] {
    return projects.flatMap((project) => [
      redriveAll(project),
      ...pausable.map(({ subscriber }) => ({
        name: `resume ${subscriber}`,
        run: (ports: Ports) => goOn(project, subscriber, ports),
      })),
      resumedAll(project),
      jobs.goOn(project, isRunning),
    ])
  }

  /** What waits in lanes is sent on, while everything goes on. */
  const mendLanes = (): Command[] =>
    [...ordered].flatMap((subscriber) => [resumed(subscriber), redrives.redriveDead('main', [subscriber])])

  return { command, tidyUp, mendLanes, switchedTo }
}
