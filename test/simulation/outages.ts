import type { Chance } from './chance.ts'
import type { Observed } from './observed.ts'
import type { Options } from './options.ts'
import type { Scheduler } from './scheduler.ts'

/** Times in which a port, one queue or call of it, or what one subscriber needs answers nothing but errors. */
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
  const targets = [
    ...['history', 'history.getDeliveries', 'memory', 'bodies', 'queues', 'queues record', 'workflows'],
    'ephemeral',
    ...options.subscribers.flatMap((name) => [`queues ${name}`, `downstream ${name}`]),
  ]
  const outages = Array.from({ length: options.outages }, () => {
    const begin = began + chance.between(0, options.minutes * 60_000)
    const port = chance.shuffled(targets)[0] ?? 'history'
    return { port, begin, end: begin + chance.rate(5000, 1_200_000) }
  })
  const { down } = options
  if (down !== undefined) {
    // of several downstreams one
    const port = `downstream ${down.subscriber}${down.subscriber === 'shop' ? ' order/1' : ''}`
    outages.push({ port, begin: began + down.begin, end: began + down.end })
  }
  return (port, target, method) => {
    const now = time.now()
    const names = [port, `${port} ${target}`, `${port} ${target.split(' ')[0]}`, `${port}.${method}`]
    const out = outages.some((one) => one.begin <= now && now < one.end && names.includes(one.port))
    if (out) {
      observed.sometimes('a dependency is out')
      observed.faults.count++
    }
    return out
  }
}
