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
 * and the busy time of every function is predicted at twice that load; what began an environment is counted apart, for how
 * many do says how the load came. Part two: `notify` takes one message at a time;
 * surges as steep and half as long say how many servers the endpoint's poller comes to, and the backlog and drain of one
 * over a steady load are predicted.
 * Usage: npx loadpath up --detach && npm run bench:mesh-truth [-- seconds]
 */
const seconds = Number(process.argv[2] ?? 240)
/** lower and higher load in turns, so that neither has the quieter machine: l h h l l h h l */
const turns = 4
const here = await system()
const say = (line: string) =>
  console.error(`${new Date().toISOString().slice(11, 19)}  load ${loadavg()[0]?.toFixed(0)}  ${line}`)

const measured = z.object({
  file: z.string(),
  times: z.record(
    z.string(),
    z.object({
      ...{ mean: z.number(), scv: z.number(), count: z.number() },
      ...{ batch: z.number().optional(), each: z.number().optional() },
      begun: z.object({ count: z.number(), ms: z.number() }),
    }),
  ),
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
  await steadily(mix, seconds / turns)
  await here.settled()
  return ratesOfWindow(since, new Date().toISOString())
}

type Window = Awaited<ReturnType<typeof loaded>>
type Time = Window['times'][string]

const warmOf = ({ count, begun }: { count: number; begun: { count: number } }): number =>
  Math.max(1, count - begun.count)
const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
const percent = (predicted: number, seen: number) =>
  `${predicted >= seen ? '+' : ''}${Math.round((100 * (predicted - seen)) / seen)} %`
const digits = (value: number) => String(Number(value.toPrecision(3)))

// part one: busy time
const mesh: Mesh = meshOf(readAssembly(places.assembly))
// few enough that functions hardly wait for each other at the endpoint, which is one process: no account has such a one
const low = { [deploymentFailed.type]: 1.5, [testCompleted.type]: 1, [githubPush.type]: 0.5 }
const high = Object.fromEntries(Object.entries(low).map(([type, rate]) => [type, 2 * rate]))
say('warming up …')
// a process of each function first, then as many as twice the load needs
await steadily(low, 10)
await steadily(high, 10)
await here.settled()
say(`in ${2 * turns} turns of ${seconds / turns} s …`)
const windows: Record<'low' | 'high', Window[]> = { low: [], high: [] }
for (let turn = 0; turn < 2 * turns; turn++) {
  const [mix, name] = turn % 4 === 0 || turn % 4 === 3 ? [low, 'low' as const] : [high, 'high' as const]
  windows[name].push(await loaded(mix))
}

/** What several windows say of a function together: each as much as it ran there. `error`: of the mean, relative, squared. */
function together(all: readonly Window[], name: string) {
  const times = all.flatMap((window) => window.times[name] ?? [])
  const over = (of: (time: Time) => number) => times.reduce((sum, time) => sum + of(time), 0)
  const warm = over(warmOf)
  const weighted = (of: (time: Time) => number) => over((time) => of(time) * warmOf(time)) / warm
  const knowing = times.flatMap(({ each }) => each ?? [])
  return {
    count: over(({ count }) => count),
    mean: weighted(({ mean }) => mean) / 1000,
    scv: weighted(({ scv }) => scv),
    error: weighted(({ scv }) => scv) / warm,
    batch: Math.max(
      1,
      weighted(({ batch = 1 }) => batch),
    ),
    each: knowing.reduce((sum, one) => sum + one, 0) / (knowing.length || Number.NaN) / 1000,
    begun: over(({ begun }) => begun.count),
    beginning: over(({ begun }) => (begun.count * begun.ms) / 1000),
  }
}
const [first] = windows.low
if (first === undefined) throw new Error('no window')
const file = z.looseObject({}).parse(parse(first.file))
const service = Object.fromEntries(
  Object.keys(first.times).map((name) => {
    const { mean, scv, batch, each } = together(windows.low, name)
    return [name, { mean, scv, batch, ...(each >= 0 && { each: Math.min(each, mean / batch) }) }]
  }),
)
const given = { ...file, service, arrivals: { http: high, inbox: {}, 'memory-table': {} } }
const predicted: Loaded = load(mesh, parseLoads('rates.yaml', given, mesh))
const demands = demandsOf(predicted, ratesOf(predicted))
const paces = windows.low.map(({ times }) =>
  Object.values(times).reduce((sum, { mean, count }) => sum + (count < 10 ? 0 : mean * count), 0),
)
console.log(
  `Busy time of all functions in the windows of the lower load: from ${percent(Math.min(...paces), average(paces))} to ${percent(Math.max(...paces), average(paces))} of their mean, which is the machine's own doing.\n`,
)
console.log(
  '| function | busy, predicted | measured | | known to | invocations/s, predicted | measured | | began an environment, busy with it |\n|---|---|---|---|---|---|---|---|---|',
)
for (const node of mesh.nodes) {
  const [before, seen] = [together(windows.low, node.name), together(windows.high, node.name)]
  const { busy, requests } = demands.ofNode(node.id)
  // of fewer than ten nothing can be said
  if (node.kind !== 'function' || !(seen.count >= 10) || busy === null || busy === 0) continue
  const [took, ran] = [(seen.mean * seen.count) / seconds, seen.count / seconds]
  // 95 % of differences by chance alone, if invocations were independent of each other; on a busy machine they are not
  const known = Math.round(196 * Math.sqrt(before.error + seen.error))
  const beginning = `${seen.begun}, ${digits(seen.beginning / seconds)}`
  console.log(
    `| ${node.name} | ${digits(busy)} | ${digits(took)} | ${percent(busy, took)} | ±${known} % | ${digits(requests)} | ${digits(ran)} | ${percent(requests, ran)} | ${beginning} |`,
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
