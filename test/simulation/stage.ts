import type { Context } from 'aws-lambda'
import { busPublisher } from '../../adapters/aws/bus.ts'
import { sqsQueues } from '../../adapters/aws/queues.ts'
import { sweepAll } from '../../adapters/lambda/sweep.ts'
import { controlOf } from '../../core/hold/control.ts'
import type { RecordedEvent } from '../../events/envelope.ts'
import type { Route } from '../../events/route.ts'
import { type Calls, callsThroughFaults, type Process, through } from './calls.ts'
import { type Behaviour, castOf, type Generation } from './cast.ts'
import type { Chance } from './chance.ts'
import { crowdOf } from './crowd.ts'
import { accountProjects, doors } from './doors.ts'
import { functionsOf } from './functions.ts'
import { type End, lambda } from './lambda.ts'
import { portsOfNewerCode } from './newer-code.ts'
import type { Observed } from './observed.ts'
import type { Command } from './operators.ts'
import type { Options, OtherFault } from './options.ts'
import { outagesOf } from './outages.ts'
import { outside } from './outside.ts'
import type { Bug } from './planting.ts'
import type { Ports } from './ports.ts'
import { orderedLetters, settingsOf } from './queue-settings.ts'
import { simulatedQueues } from './queues.ts'
import { countingRaces } from './races.ts'
import type { Scheduler } from './scheduler.ts'
import { stepFunctions } from './step-functions.ts'
import { stores } from './stores.ts'
import { stream } from './stream.ts'
import { watchedEphemeral } from './watched-ephemeral.ts'
import { noteExpired, watchedQueues } from './watched-queues.ts'
import { awsOf, eventBridge, sqs } from './wire.ts'

export type Stage = ReturnType<typeof stage>

const stageName = 'test'

/** The whole of a stage: every function and queue of it, wired as infra does, on stores in memory. */
export function stage({
  time,
  chance,
  options,
  observed,
  bug,
}: {
  time: Scheduler
  chance: Chance
  options: Options
  observed: Observed
  bug: Bug | undefined
}) {
  let unsafe = true
  let generations: readonly [Generation, ...Generation[]] = ['older']
  const cast = castOf(options.subscribers, options.deploy === undefined ? undefined : options.moved)
  const everybody = [
    ...new Map([...cast.older, ...cast.newer].map((route) => [route.subscriber, route])).values(),
  ]
  const routeNamed = new Map(everybody.map((route) => [route.subscriber, route]))
  const isOrdered = (subscriber: string): boolean => routeNamed.get(subscriber)?.ordered === true
  const rate = (fault: OtherFault): number => (unsafe ? options.others[fault] : 0)
  const crowd = crowdOf({ options, now: time.now, isCalm: () => !unsafe })
  const outages = outagesOf({ time, chance, options, observed })
  const isOut: typeof outages = (...call) => unsafe && outages(...call)

  // ---- what is kept

  const stored = stores({
    time,
    observed,
    options,
    committed: (change) => outbox.tell(change),
  })
  const queues = simulatedQueues({
    settingsOf: settingsOf(routeNamed),
    now: time.now,
    chance,
    faults: () => ({ duplicate: rate('duplicate'), reorder: rate('reorder'), immovable: rate('immovable') }),
    told: {
      arrived: (queue) => functions.wake(queue),
      failed: () => observed.sometimes('a message goes to the dead letters'),
      refused: (queue) =>
        observed.sometimes(`${isOrdered(queue) ? 'an ordered' : 'a'} dead letter queue refuses`),
      expired(queue, { id, body }) {
        observed.step('', () => `message ${id} of ${queue} expires`)
        if (routeNamed.has(queue)) noteExpired(queue, body, observed)
      },
    },
  })

  // ---- what acts

  const calls: Calls = callsThroughFaults({
    ...{ time, chance, options, observed, isOut },
    unsafe: () => unsafe,
    ofOrdered: ({ kind }) => isOrdered(kind.replace('consume ', '')),
  })
  const functions = lambda({
    time,
    chance,
    options,
    observed,
    calls,
    queues,
    rate,
    isOut: (doing, queue) => isOut(doing, queue, ''),
    generations: () => generations,
    isCalm: () => !unsafe,
  })
  const runs = stepFunctions({
    time,
    chance,
    observed,
    workflows: stored.workflows,
    put: (body) => queues.put('record', body, { queue: 'record' }),
    rate,
    batchOf: (workflow) => batches[workflow],
    invoke: (fn, event, ended) => functions.invoke(fn, event, ended),
    asks: { ask: () => all.asks, isWanted: () => chance.is(options.approvals) },
  })
  const downstream = outside({ options, observed, now: time.now, isCalm: () => !unsafe })
  const wires = { sqs: sqs(queues, observed), bus: eventBridge(observed) }

  const routesOf = ({ generation }: Process): readonly Route[] => cast[generation]
  const isNewer = ({ generation }: Process): boolean => generation === 'newer' && options.newVersion
  const newId = (): string => Math.floor(chance.random() * 2 ** 48).toString(16)

  /** The ports of one environment: through faults, and through the bug that this run has planted, if any. */
  function portsOf(process: Process): Ports {
    const { history, memory, lanes, bodies, ephemeral } = stored
    const aws = awsOf(calls, process, wires)
    const sending = sqsQueues({ aws, prefix: '', ordered: isOrdered })
    const plain: Ports = {
      history: through(calls, process, 'history', history),
      memory: crowd(through(calls, process, 'memory', memory), memory, process),
      lanes: through(calls, process, 'lanes', lanes),
      bodies: through(calls, process, 'bodies', bodies),
      ephemeral: watchedEphemeral(through(calls, process, 'ephemeral', ephemeral), observed),
      queues: watchedQueues({ queues: sending, lying: queues, process, observed, now: time.now }),
      workflows: through(calls, process, 'workflows', runs.port),
      downstream: through(calls, process, 'downstream', downstream),
      eventsBus: { put: busPublisher({ aws, bus: 'events' }) },
      clock: () => new Date(time.now() + process.skew).toISOString(),
      random: chance.random,
      routes: routesOf(process),
      accounts: accountProjects,
      stage: stageName,
      newId,
      hide: async (queue, message, seconds) => {
        if (!chance.is(rate('unhidden'))) return functions.hide(queue, message, seconds)
        observed.sometimes('the time of a message cannot be set')
      },
      pause: (milliseconds: number) =>
        new Promise<void>((resolve) => time.after(milliseconds, 'pause', () => process.alive && resolve())),
    }
    const own = isNewer(process) ? portsOfNewerCode(plain) : plain
    return bug?.ports?.(own, process, { chance, stored }) ?? own
  }

  const { batches, ...all } = functionsOf({
    portsOf,
    isNewer,
    retires: ({ generation }) => generation === 'newer' && options.retires && options.deploy !== undefined,
    behaviourOf,
    calls,
    observed,
    now: time.now,
    bug,
    projects: options.shop ? Object.values(accountProjects) : [],
  })

  const behaviourByStory = new Map<string, Behaviour | undefined>()
  function behaviourOf(
    subscriber: string,
    { correlationid, project, door }: RecordedEvent,
  ): Behaviour | undefined {
    const { behaviours } = options
    const [first, ...more] = behaviours
    // what a person has mended is well, and what mends others is our own
    if (first === undefined || door === 'edit' || routeNamed.get(subscriber)?.unpausable !== undefined)
      return undefined
    const key = `${subscriber} ${project} ${correlationid}`
    if (!behaviourByStory.has(key))
      behaviourByStory.set(key, chance.is(0.2) ? chance.pick([first, ...more]) : undefined)
    const found = behaviourByStory.get(key)
    // what never works is a downstream that is down, and slow is one that is busy: both pass
    return !unsafe && (found === 'slow' || found === 'hopeless') ? undefined : found
  }

  const outbox = stream({ time, chance, observed, lambda: functions, relay: all.relay, rate })
  const senders = doors({
    time,
    chance,
    options,
    observed,
    lambda: functions,
    ingest: all.ingest,
    queues,
    rate,
    ordered: [...routeNamed.keys()].filter(isOrdered),
  })

  functions.feed('record', all.record, { batch: 10, concurrency: 5 })
  for (const queue of ['dead-letters', orderedLetters, 'bus-dead-letters'])
    functions.feed(queue, all.letters, { batch: 10, concurrency: 2 })
  for (const route of everybody) functions.feed(route.subscriber, all.consumer(route), route)

  let sweeping = false
  /** One pass at a time: the function has one environment at most. */
  function sweep(): void {
    if (sweeping || chance.is(rate('unscheduled'))) return
    sweeping = true
    functions.invoke(all.sweep, {}, () => {
      sweeping = false
      if (!chance.is(rate('rescheduled'))) return
      observed.sometimes('the schedule fires twice')
      sweep()
    })
  }

  /** The sweep has run before: what was before is nothing, and need not be walked through again in each schedule. */
  async function sweepBefore(): Promise<void> {
    const { history, memory, lanes, bodies, workflows } = stored
    const ports = { history, memory, lanes, bodies, workflows, queues }
    const clock = () => new Date(time.now() - 60 * 60_000).toISOString()
    const deps = {
      ...ports,
      clock,
      random: chance.random,
      routes: cast.older,
      stage: stageName,
      doors: all.sweepDoors,
    }
    await sweepAll(deps)({}, { functionName: 'sweep', awsRequestId: '' } as Context)
  }

  return {
    now: time.now,
    skew: options.skew,
    stale: options.stale,
    isOnlyDown:
      options.down?.unlike === false &&
      Object.values(options.calls).every((rate) => rate === 0) &&
      options.outages === 0,
    /** calls take their time only where somebody waits for them */
    isPrompt: options.calls.slow === 0 && options.calls.late === 0,
    sweepBefore,
    doors: senders,
    queues,
    stored,
    cast,
    everybody,
    /** the routes of what is running now */
    deployed: (): readonly Route[] => generations.flatMap((generation) => cast[generation]),
    functions,
    sweep,
    stopFaults: () => {
      unsafe = false
    },
    /** From now on these versions of the code are called, one or the other. */
    deploy(versions: readonly [Generation, ...Generation[]]): void {
      generations = versions
      observed.step('', () => `now running: ${versions.join(' and ')}`)
    },
    /** What is in no route any more has no queue either. */
    forget(subscriber: string): void {
      functions.unfeed(subscriber)
      queues.drop(subscriber)
    },
    /** Somebody asks the API for something; what comes of it is for them to see. */
    command({ name, of, run }: Command, ended: (end: End) => void = () => undefined): void {
      observed.step('', () => `somebody asks: ${name}`)
      functions.invoke(all.api(of), countingRaces({ name, run }, observed), (end) => {
        observed.step(
          '',
          () => `${name}: ${'value' in end ? 'answered' : JSON.stringify(Object.values(end).map(String))}`,
        )
        ended(end)
      })
    },
    isRunning: runs.isRunning,
    /** Whether a circuit is open: the sweep has it tried. */
    isParted: (): boolean =>
      stored.real.memory
        .all()
        .records.some((record) => record.kind === 'control' && controlOf(record).circuits.length > 0),
    waitsForCode: options.newVersion && options.deploy !== undefined,
    /** What is under way, but for the sweep, and what waits to be received: nothing when it is quiet. */
    underWay: (): string[] => [
      ...functions.running().flatMap((kind) => (kind === 'sweep' ? [] : [`${kind} runs`])),
      ...runs.running().map((run) => `run ${run}`),
      ...functions.standing().map((queue) => `${queue} stands still`),
      ...(senders.waiting() > 0 ? [`${senders.waiting()} senders wait`] : []),
      ...(outbox.isEmpty() ? [] : ['the stream has something to tell']),
      ...queues.names().flatMap((name) => {
        const { length } = queues.all(name)
        return length > 0 ? [`${length} on ${name}`] : []
      }),
    ],
  }
}
