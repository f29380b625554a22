import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import * as z from 'zod'
import { deploymentFailed } from '../events/deployment.failed.ts'
import { githubPush } from '../events/github.push.ts'
import { testCompleted } from '../events/test.completed.ts'
import { places, root } from '../local/places.ts'
import { meshOf } from '../mesh/assembly/mesh-of.ts'
import { readAssembly } from '../mesh/assembly/read/read.ts'
import { dynamic } from '../mesh/dynamic/dynamic.ts'
import { type Loaded, load } from '../mesh/load.ts'
import { parseLoads } from '../mesh/loads.ts'
import type { Mesh } from '../mesh/model.ts'
import { demandsOf } from '../mesh/static/demand.ts'
import { ratesOf } from '../mesh/static/rates.ts'
import { oneAtATime, system } from './mesh-truth/system.ts'

/**
 * What the mesh predicts against what the running local system does. Part one: rates and times are measured at one load,
 * and the busy time of every function is predicted at twice that load. Part two: `notify` takes one message at a time;
 * surges as steep and half as long say how many servers the endpoint's poller comes to, and the backlog and drain of one
 * over a steady load are predicted.
 * Usage: npx loadpath up --detach && npm run bench:mesh-truth [-- seconds]
 */
const seconds = Number(process.argv[2] ?? 40)
const here = await system()
const say = (line: string) =>
  console.error(`${new Date().toISOString().slice(11, 19)}  load ${loadavg()[0]?.toFixed(0)}  ${line}`)

const measured = z.object({
  file: z.string(),
  times: z.record(z.string(), z.object({ mean: z.number(), scv: z.number(), count: z.number() })),
})
/** What `loadpath mesh rates` says of a window. */
async function ratesOfWindow(since: string, until: string) {
  const words = ['mesh', 'rates', '--since', since, '--until', until, '--json']
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, 'cli', 'main.ts'), ...words], {
    maxBuffer: 100_000_000,
  })
  return measured.parse(JSON.parse(stdout))
}

type Mix = Readonly<Record<string, number>>
const examples: Readonly<Record<string, unknown>> = {
  [deploymentFailed.type]: deploymentFailed.example,
  [testCompleted.type]: testCompleted.example,
  [githubPush.type]: githubPush.example,
}
const eventOf = (type: string) => ({
  ...{ specversion: '1.0', id: randomUUID(), source: '/bench/mesh-truth', type, data: examples[type] },
})

/** Events at a steady rate, one request each, not waiting for one before the next. */
async function steadily(mix: Mix, span: number): Promise<void> {
  const total = Object.values(mix).reduce((sum, rate) => sum + rate, 0)
  const pending: Promise<void>[] = []
  const due = new Map(Object.entries(mix).map(([type, rate]) => [type, 1 / rate]))
  const began = performance.now()
  for (let n = 0; n < total * span; n++) {
    const [type = '', at = 0] = [...due].toSorted(([, a], [, b]) => a - b)[0] ?? []
    due.set(type, at + 1 / (mix[type] ?? 1))
    pending.push(here.send([eventOf(type)]))
    await sleep(Math.max(0, began + (1000 * (n + 1)) / total - performance.now()))
  }
  await Promise.all(pending)
}

async function loaded(mix: Mix) {
  const since = new Date().toISOString()
  await steadily(mix, seconds)
  await here.settled()
  return ratesOfWindow(since, new Date().toISOString())
}

const percent = (predicted: number, seen: number) =>
  `${predicted >= seen ? '+' : ''}${Math.round((100 * (predicted - seen)) / seen)} %`
const digits = (value: number) => String(Number(value.toPrecision(3)))

// part one: busy time
const mesh: Mesh = meshOf(readAssembly(places.assembly))
const low = { [deploymentFailed.type]: 3, [testCompleted.type]: 2, [githubPush.type]: 1 }
const high = Object.fromEntries(Object.entries(low).map(([type, rate]) => [type, 2 * rate]))
say('warming up …')
await steadily(low, 10)
await here.settled()
say(`${seconds} s at ${Object.values(low).reduce((a, b) => a + b)} events a second …`)
const first = await loaded(low)
say('twice that …')
const second = await loaded(high)
say('and once more, for what else the machine does changes …')
const third = await loaded(low)
/** Milliseconds by both windows of the lower load. */
const meanOf = (name: string): number => {
  const both = [first, third].flatMap(({ times }) => times[name]?.mean ?? [])
  return both.reduce((sum, one) => sum + one, 0) / both.length
}
const file = z.looseObject({ service: z.record(z.string(), z.looseObject({})) }).parse(parse(first.file))
const service = Object.fromEntries(
  Object.entries(file.service).map(([name, times]) => [name, { ...times, mean: `${meanOf(name)}ms` }]),
)
const given = { ...file, service, arrivals: { http: high, inbox: {}, 'memory-table': {} } }
const predicted: Loaded = load(mesh, parseLoads('rates.yaml', given, mesh))
const demands = demandsOf(predicted, ratesOf(predicted))
console.log(
  '| function | busy, predicted | measured | | invocations/s, predicted | measured | |\n|---|---|---|---|---|---|---|',
)
for (const node of mesh.nodes) {
  const seen = second.times[node.name]
  const { busy, requests } = demands.ofNode(node.id)
  // of fewer than ten nothing can be said
  if (node.kind !== 'function' || seen === undefined || seen.count < 10 || busy === null || busy === 0)
    continue
  const [took, ran] = [(seen.mean * seen.count) / 1000 / seconds, seen.count / seconds]
  console.log(
    `| ${node.name} | ${digits(busy)} | ${digits(took)} | ${percent(busy, took)} | ${digits(requests)} | ${digits(ran)} | ${percent(requests, ran)} |`,
  )
}

// part two: a surge
const restore = await oneAtATime(here, 'notify')
try {
  await steadily({ [deploymentFailed.type]: 5 }, 5)
  await here.settled()
  const calibrate = async (rate: number) => {
    say(`${digits(rate)} a second for 10 s, which says how many servers there are …`)
    const seen = await here.surge(() => eventOf(deploymentFailed.type), { before: 0, rate, hold: 10 })
    const { notify } = (await ratesOfWindow(seen.since, seen.until)).times
    if (notify === undefined) throw new Error('nothing of notify in the logs')
    const capacity = {
      during: seen.sent - seen.peak / seen.held,
      after: seen.peak / (seen.drained - seen.held),
      all: seen.handledPerSecond,
    }
    return { capacity, mean: notify.mean / 1000, scv: notify.scv }
  }
  const probed = (await calibrate(120)).capacity.all
  const [base, peak, hold] = [0.3 * probed, 1.8 * probed, 20]
  const one = await calibrate(peak)
  say(`${digits(base)} a second, then ${digits(peak)} for ${hold} s …`)
  const other = await here.surge(() => eventOf(deploymentFailed.type), { before: 10, base, rate: peak, hold })
  const two = await calibrate(peak)
  const mean = (one.mean + two.mean) / 2
  const queue = mesh.nodes.find(({ name }) => name === 'notify-queue')
  /** What a surge to so many a second makes of the queue, where so many a second are handed on. */
  const surged = (capacity: number, rate: number) => {
    const law = { law: 'servers', servers: capacity * mean, over: 'wait', from: 'calibration' } as const
    const asDeployed: Mesh = {
      ...mesh,
      elements: mesh.elements.map((element) =>
        element.kind === 'poll' && element.from === queue?.id
          ? { ...element, batch: 1, laws: [law] }
          : element,
      ),
    }
    const given = {
      version: 1,
      arrivals: { http: { [deploymentFailed.type]: other.sentBefore }, inbox: {}, 'memory-table': {} },
      service: { notify: { mean, scv: one.scv, batch: 1 } },
    }
    const loaded = load(asDeployed, parseLoads('calibration', given, mesh))
    const step = { shape: 'step', factor: rate / other.sentBefore, after: 0, hold: other.held } as const
    const found = dynamic(loaded, step).limits.find(({ name }) => name === 'notify-queue → notify')
    return { backlog: found?.peakBacklog.messages ?? 0, drained: found?.drainedAt ?? 0 }
  }
  // while events come the endpoint hands on fewer of them
  const during = (one.capacity.during + two.capacity.during) / 2
  const after = (one.capacity.after + two.capacity.after) / 2
  const { backlog } = surged(during, other.sent)
  const { drained } = surged(after, after + backlog / other.held)
  const rows: [string, number, number][] = [
    ['largest backlog, messages', backlog, other.peak],
    ['drained after the beginning, s', drained, other.drained],
  ]
  console.log(
    `\n${digits(other.sentBefore)} events a second, then ${digits(other.sent)} for ${digits(other.held)} s; handed on, by two other surges: ${digits(during)} a second while they come, ${digits(after)} after.\n`,
  )
  console.log('| what | predicted | measured | |\n|---|---|---|---|')
  for (const [what, said, seen] of rows)
    console.log(`| ${what} | ${digits(said)} | ${digits(seen)} | ${percent(said, seen)} |`)
} finally {
  await restore()
}
