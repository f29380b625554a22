import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import * as z from 'zod'
import { idempotencyKey } from '../core/identity.ts'
import { root } from '../local/places.ts'
import { holderOf } from '../local/port.ts'
import { signal } from '../local/processes.ts'
import { argumentsOf } from '../test/arguments.ts'
import { seeded } from '../test/world.ts'
import { asked, usage } from './drill/asked.ts'
import { senders, type Told } from './drill/doors.ts'
import { make, type Sent } from './drill/ledger.ts'
import { type Counted, countFacts, countTable, hear, listen, stopListening } from './drill/outside.ts'
import { type RunningSystem, runningSystem } from './running.ts'

/**
 * Events through the doors of the running local system, with duplicates and poison, while functions' processes are killed
 * and the endpoint is stopped and started; then everything is counted three ways: what the senders were told, what lies
 * in the tables and came out at the other end, and what the books say.
 */
const { events, seed } = argumentsOf(usage, asked)
const random = seeded(seed + 1)

/** Beside the senders, who shall see what happens. @throws where it fails, with what it said in `stdout` */
const cli = async (...args: string[]): Promise<string> => {
  const command = [join(root, 'cli', 'main.ts'), ...args]
  const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: 100_000_000 })
  return stdout
}
const toldByFailing = z.object({ stdout: z.string() })
/** What it said, however it ended. */
const said = (...args: string[]): Promise<string> =>
  cli(...args).catch((error: unknown) => toldByFailing.parse(error).stdout)
const say = (line: string) => console.error(`${new Date().toISOString().slice(11, 19)}  ${line}`)

let system: RunningSystem | undefined
async function start(): Promise<RunningSystem> {
  await cli('up', '--detach')
  system = await runningSystem()
  return system
}

/** kill -9 of every process that the endpoint runs for a function. */
function killFunctions({ up: { endpoint } }: RunningSystem): number {
  const server = Number(/\d+/.exec(holderOf(Number(new URL(endpoint).port)))?.[0])
  const table = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
  const functions = [...table.matchAll(/^\s*(\d+)\s+(\d+)\s+(.*)$/gm)].filter(
    ([, , parent, command]) => Number(parent) === server && command?.includes('node'),
  )
  return functions.filter(([, pid]) => signal(Number(pid), 'SIGKILL')).length
}

const began = Date.now()
const first = await start()
const { config } = first
const { queue, subscription } = await listen(first.aws, config.notificationTopic)
const { quarantined: quarantinedBefore } = await countTable(first.aws, config.historyTable, '/drill')
const since = new Date().toISOString()

// what is sent: each once, a twentieth twice, in batches of one door
// a repository of its own: what another drill left shall not count
const repository = `drill/${began.toString(36)}`
const all = make(events, seed, repository)
const again = all.filter(({ poison }) => !poison && random() < 0.05)
const inBatches = (sent: readonly Sent[]) =>
  (['http', 'bus'] as const).flatMap((door) => {
    const own = sent.filter((one) => one.door === door)
    const size = door === 'http' ? 100 : 10
    return Array.from({ length: Math.ceil(own.length / size) }, (_, n) => ({
      door,
      events: own.slice(n * size, (n + 1) * size),
    }))
  })
const work = [...inBatches(all), ...inBatches(again)]
  .map((batch) => ({ batch, at: random() }))
  .sort((a, b) => a.at - b.at)
  .map(({ batch }) => batch)

const told: Told = { accepted: new Set(), refused: new Set(), requests: 0, again: 0 }
const doors = senders(() => system, config.inboxBus, told)
let next = 0
let sent = 0
let killed = 0
let restarts = 0
const sending = Array.from({ length: 8 }, async () => {
  for (let batch = work[next++]; batch !== undefined; batch = work[next++]) {
    await doors[batch.door](batch.events)
    sent++
  }
})

let done = false
// all of it happens however soon everything is sent: what was sent is still to be handled then
const stops = [1 / 3, 2 / 3].map((share) => Math.floor(work.length * share))
const longestWithoutProcess = 120_000
const trouble = (async () => {
  let kill = 0
  let idleSince = Date.now()
  while (
    !done ||
    restarts < stops.length ||
    (killed === 0 && Date.now() - idleSince < longestWithoutProcess)
  ) {
    await sleep(250)
    if (system !== undefined && (killed === 0 || Date.now() > kill)) {
      killed += killFunctions(system)
      kill = Date.now() + 5_000 + random() * 10_000
    }
    if (next > (stops[restarts] ?? Number.POSITIVE_INFINITY)) {
      say('stopping the endpoint …')
      system = undefined
      await cli('down')
      await sleep(5_000)
      await start()
      restarts++
      idleSince = Date.now()
      say(`started again; ${sent} of ${work.length} batches sent, ${killed} processes killed`)
    }
  }
})()
const keys = new Map<string, number>()
let over = false
const listening = (async () => {
  for (let empty = 0; !over || empty < 5; ) {
    // a message that was counted and not deleted, because the endpoint ended just then, would be counted twice
    const heard = system === undefined ? 0 : await hear(system.aws, queue, keys).catch(() => 0)
    empty = heard === 0 ? empty + 1 : 0
    if (heard === 0) await sleep(500)
  }
})()
await Promise.all(sending)
done = true
await trouble
const sentAfter = Date.now()
say(
  `all sent: ${told.accepted.size} accepted, ${told.refused.size} refused, ${told.again} requests sent again`,
)

const current = system ?? (await start())
const good = all.filter(({ poison }) => !poison)
const depth = z.object({ Attributes: z.record(z.string(), z.unknown()) })

async function waitingIn(queue: string): Promise<number> {
  const answer = await current.aws.call('sqs', 'GetQueueAttributes', {
    QueueUrl: current.queues + queue,
    AttributeNames: ['All'],
  })
  return Object.entries(depth.parse(answer).Attributes)
    .filter(([name]) => name.startsWith('ApproximateNumberOfMessages'))
    .reduce((sum, [, count]) => sum + Number(count), 0)
}

const states = ({ deliveries }: Counted, wanted: (state: string | undefined) => boolean) =>
  good.filter(
    ({ id, subscriber }) => subscriber !== undefined && wanted(deliveries.get(`${subscriber} ${id}`)),
  )
const undoneIn = (counted: Counted) => states(counted, (state) => state !== 'done')
const patience = 10 * 60_000

/** Until nothing lies in a queue any more, or is parked behind a circuit that is to close: for that at most ten minutes. */
async function settled(): Promise<Counted> {
  const until = Date.now() + patience
  for (;;) {
    const depths = await Promise.all(['record', 'notify', 'track-build'].map(waitingIn))
    const waiting = depths.reduce((a, b) => a + b, 0)
    if (waiting === 0) {
      const counted = await countTable(current.aws, config.historyTable, '/drill')
      const held = states(counted, (state) => state === 'parked' || state === 'retrying').length
      if (held === 0 || Date.now() > until) return counted
      say(`${held} deliveries are parked or retrying`)
    } else say(`${waiting} messages still wait`)
    await sleep(5_000)
  }
}

const mended = z.object({ mended: z.array(z.unknown()).default([]) })
const books = ['balance', '--since', since, '--patience', '1s']

await settled()
await sleep(5_000)
// the sweep would do it within a quarter of an hour
const sentOn = mended.parse(JSON.parse(await said(...books, '--mend', '--json'))).mended.length
const counted = await settled()
const settledAfter = Date.now()
over = true
await listening
// what was in a process that was killed at each of its attempts is dead, which is no loss: it is sent again
const dead = states(counted, (state) => state === 'dead')
if (dead.length > 0) {
  await said('dead', 'redrive', '--since', since, '--rate', '50', '--wait')
  await settled()
}
const last = await countTable(current.aws, config.historyTable, '/drill')
await stopListening(current.aws, { queue, subscription })

const missing = good.filter(({ id }) => !last.events.has(id))
const changed = good.filter(
  ({ id, event }) => last.events.has(id) && last.events.get(id) !== JSON.stringify(event.data),
)
const undone = undoneIn(last)
const { facts, changes } = await countFacts(current.aws, config.memoryTable, repository)
const sentFacts = good.flatMap(({ fact }) => fact ?? [])
const lostFacts = sentFacts.filter(({ branch, suite, passed }) => facts.get(`${branch} ${suite}`) !== passed)
const unheard = good.filter(
  ({ id, subscriber }) =>
    subscriber === 'notify' &&
    !keys.has(idempotencyKey({ project: 'main', source: '/drill', id }, 'notify', '')),
)
const poison = all.filter((one) => one.poison)
const poisonIn = poison.filter(({ id }) => last.events.has(id))
const quarantined = last.quarantined - quarantinedBefore
const poisonLost = poison.length - told.refused.size - quarantined
// what senders were told of is all that was made: nobody stops before it is taken or refused
const untold = all.filter(({ id }) => !told.accepted.has(id) && !told.refused.has(id))
const repeated = [...keys.values()].filter((times) => times > 1).length
const minutes = (from: number, to: number) => `${((to - from) / 60_000).toFixed(1)} min`
// exit code 1: something is missing; all queues are empty, so nothing without a mark is on its way
const balanced = await cli(...books).then(
  () => true,
  () => false,
)

const rows: readonly [string, string | number][] = [
  ['events made, of them poison', `${events}, ${poison.length}`],
  ['sent a second time on purpose', again.length],
  ['requests that came to nothing and were sent again', told.again],
  ['processes of functions killed (-9)', killed],
  ['stops and starts of the endpoint', restarts],
  ['time to send; until all was handled', `${minutes(began, sentAfter)}; ${minutes(began, settledAfter)}`],
  ['recorded, of the good ones', `${good.length - missing.length} of ${good.length}`],
  ['recorded with other data than was sent', changed.length],
  ['poison recorded', poisonIn.length],
  [
    'poison refused over HTTP; quarantined from the bus; lost',
    `${told.refused.size}; ${quarantined}; ${poisonLost}`,
  ],
  ['events whose sender heard nothing', untold.length],
  ['deliveries that the books found missing and sent on', sentOn],
  ['deliveries that were dead, because each of their attempts was killed', dead.length],
  ['deliveries not done after a redrive of those', undone.length],
  [
    'facts in the state, of those sent; changes of the state beyond one each',
    `${sentFacts.length - lostFacts.length} of ${sentFacts.length}; ${changes - sentFacts.length}`,
  ],
  ['notifications that never came out', unheard.length],
  ['notifications that came out more than once, under one idempotency key', repeated],
  ['the books', balanced ? 'balanced' : 'NOT BALANCED'],
]
console.log('| what | count |\n|---|---|')
for (const [what, count] of rows) console.log(`| ${what} | ${count} |`)
const wrong = [missing, changed, undone, lostFacts, unheard, poisonIn, untold].some(
  (found) => found.length > 0,
)
// where nothing was killed or stopped, nothing was shown
const calm = killed === 0 || restarts < stops.length
const failed = wrong || changes !== sentFacts.length || poisonLost !== 0 || !balanced || calm
if (calm) say('not enough was killed or stopped: this shows nothing')
process.exit(failed ? 1 : 0)
