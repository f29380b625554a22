import { castOf } from './cast.ts'
import type { Chance } from './chance.ts'
import type { Observed } from './observed.ts'
import type { Options } from './options.ts'
import type { Scheduler } from './scheduler.ts'

/** What all of a stage stands on. */
const shared = [
  ...['history', 'history.getDeliveries', 'memory', 'memory control', 'bodies', 'workflows', 'ephemeral'],
  ...['lanes', 'lanes.lane', 'eventsBus', 'queues', 'queues record', 'receive', 'delete'],
] as const

/** By what is said of them when they were asked in vain. */
export const outOfReach = shared.map((port) => `${port} is out`)

/**
 * Times in which a port, one queue or call of it, or what one subscriber needs answers nothing but errors. `receive` and
 * `delete`: what Lambda does with queues by itself.
 */
export function outagesOf({
  time,
  chance,
  options,
  observed,
}: {
  time: Scheduler
  chance: Chance
  options: Options
  observed: Observed
}): (port: string, target: string, method: string) => boolean {
  const began = time.now()
  const own = options.subscribers.flatMap((name) => [
    ...[`queues ${name}`, `downstream ${name}`, `receive ${name}`, `delete ${name}`],
  ])
  // bodies lie there of few events, few subscribers publish, and few keep order
  const often: readonly [string, ...string[]] = [
    ...shared,
    ...(options.labels.includes('large') ? Array<string>(6).fill('bodies') : []),
    ...(options.subscribers.includes('publish') ? ['eventsBus', 'eventsBus'] : []),
    ...(castOf(options.subscribers, undefined).older.some(({ ordered }) => ordered)
      ? ['lanes', 'lanes.lane']
      : []),
  ]
  const outages = Array.from({ length: options.outages }, () => {
    const begin = began + chance.between(0, options.minutes * 60_000)
    const port = chance.is(0.6) ? chance.pick(often) : (chance.shuffled(own)[0] ?? 'history')
    return { port, begin, end: begin + chance.rate(5000, 1_200_000) }
  })
  const { down } = options
  if (down !== undefined && !down.unlike) {
    // of several downstreams one
    const port = `downstream ${down.subscriber}${down.subscriber === 'shop' ? ' order/1' : ''}`
    outages.push({ port, begin: began + down.begin, end: began + down.end })
  }
  return (port, target, method) => {
    const now = time.now()
    const names = [port, `${port} ${target}`, `${port} ${target.split(' ')[0]}`, `${port}.${method}`]
    const out = outages.find((one) => one.begin <= now && now < one.end && names.includes(one.port))
    if (out === undefined) return false
    observed.sometimes('a dependency is out')
    observed.sometimes(`${out.port} is out`)
    observed.faults.count++
    return true
  }
}
