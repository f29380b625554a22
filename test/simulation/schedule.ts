import './environment.ts'
import { noon } from '../world.ts'
import { booksNameWhatIsLost, mendBooks } from './books.ts'
import { bugs } from './bugs.ts'
import { chanceOf } from './chance.ts'
import { declaring } from './declare.ts'
import { invariants } from './invariants.ts'
import { observations, type Violation } from './observed.ts'
import { type Command, operators } from './operators.ts'
import { drawOptions, type Options } from './options.ts'
import { editTooLarge } from './oversize.ts'
import type { Bug } from './planting.ts'
import { scheduler } from './scheduler.ts'
import { type Stage, stage } from './stage.ts'
import { type Deed, meanwhile, workload } from './workload.ts'

export type Result = {
  seed: number
  options: Options
  steps: number
  /** of all steps: the same seed gives the same */
  hash: string
  /** virtual minutes until it was quiet */
  minutes: number
  /** rare paths that were taken */
  seen: string[]
  violations: Violation[]
  /** only where it was asked for */
  trace: { at: number; about: string; text: string }[]
}

const minute = 60_000
const day = 24 * 60 * minute
/** Between two passes of the sweep while somebody stands still for days. */
const hoursOfStandstill = 9
/** Of virtual time, after faults have stopped: queues give up after hours, and waits for newer code are long. */
const patience = 12 * 60 * minute
/**
 * Nothing due within it: it is over. Longer than the sweep lets what is new be, and what is open for who left the routes,
 * and then tells of those that died of that.
 */
const silence = 46 * minute
const mostSteps = 400_000

/** One schedule, from its seed alone: things are sent and go wrong for a while, then nothing goes wrong any more. */
export async function runSchedule(
  seed: number,
  { bug, trace = false }: { bug?: string | undefined; trace?: boolean } = {},
): Promise<Result> {
  const chance = chanceOf(seed)
  const time = scheduler(Date.parse(noon))
  const observed = observations(time.now, trace)
  const options = drawOptions(seed, chance)
  const planted: Bug | undefined = bug === undefined ? undefined : bugs[bug]
  if (bug !== undefined && planted === undefined) throw new Error(`no bug is named ${bug}`)
  const world = stage({ time, chance, options, observed, bug: planted })
  await world.sweepBefore()
  const end = options.minutes * minute
  const deeds = workload(chance, {
    events: options.events,
    labels: options.labels,
    oversize: options.oversize,
    shop: options.shop,
    down: options.down,
    standing: options.standstill?.subscriber,
    // those that keep order are few
    queues: [...world.cast.older, ...world.cast.older.filter(({ ordered }) => ordered)]
      .map(({ subscriber }) => subscriber)
      .filter((name) => name !== 'leaving'),
  })
  // much happens at once, or one thing after the other
  const bursts = Array.from({ length: 3 }, () => chance.between(0, end))
  const moment = (): number =>
    options.bursts
      ? chance.pick([bursts[0] ?? 0, ...bursts]) + chance.between(0, 500)
      : chance.between(0, end)
  for (const deed of deeds) {
    const late = deed.kind === 'send' && options.down && deed.late
    time.after(late ? (options.down?.begin ?? 0) + late : moment(), 'deed', () => perform(world, deed))
  }
  if (options.deploy !== undefined) planDeployment(options.deploy, end)
  if (options.standstill !== undefined) planStandstill(options.standstill)
  const people = operators({
    chance,
    observed,
    routes: world.cast.older,
    began: noon,
    now: time.now,
    skew: options.skew,
    projects: options.shop ? ['main', 'shop'] : ['main'],
  })
  planPeople()
  let sweeps = 0
  keepSweeping()
  time.after(end, 'faults stop', () => {
    world.stopFaults()
    if (options.operators > 0) time.after(10 * minute, 'somebody tidies up', tidyUp)
  })

  function planPeople(): void {
    for (let count = 0; count < options.operators; count++)
      time.after(chance.between(0.2 * end, end), 'somebody looks', () => {
        const command = people.command()
        if (command === undefined) return
        give(command)
        // and somebody else has the same idea
        if (chance.is(0.3)) world.command(command)
      })
    if (options.rebuilt) {
      const at = chance.between(0.3 * end, 0.8 * end)
      time.after(at, 'somebody rebuilds', () => give(people.switchedTo('ledger')))
      for (const deed of meanwhile())
        time.after(at + chance.between(0, 60_000), 'deed', () => perform(world, deed))
    }
    if (options.operators > 0)
      for (let count = 0; count < 3; count++)
        time.after(chance.between(0.4 * end, end), 'somebody mends lanes', () =>
          people.mendLanes().forEach(give),
        )
    if (options.oversize && options.operators > 0)
      for (let count = 0; count < 2; count++)
        time.after(chance.between(0.3 * end, end), 'somebody writes too much', () => {
          const command = editTooLarge(chance, observed)
          if (command) give(command)
        })
  }

  function give(command: Command): void {
    world.command(command)
    for (const [wait, next] of command.next ?? [])
      time.after(wait, 'somebody goes on', () => world.command(next))
  }

  function tidyUp(): void {
    for (const command of people.tidyUp(world.isRunning)) untilTaken(command)
  }

  /** Whoever is refused comes back later, a few times. */
  function untilTaken(command: Command, times = 4): void {
    world.command(command, (end) => {
      if (times > 1 && !('value' in end))
        time.after(10 * minute, 'somebody asks again', () => untilTaken(command, times - 1))
    })
  }

  function planDeployment(how: string, end: number): void {
    const begin = chance.between(0, 0.6 * end)
    const over = chance.between(begin, end)
    time.after(begin, 'deployment', () => world.deploy(['older', 'newer']))
    time.after(over, 'deployed', () => {
      world.deploy([how === 'stays' ? 'newer' : 'older'])
      world.forget(how === 'stays' ? 'leaving' : 'coming')
      observed.sometimes(how === 'stays' ? 'newer code stays' : 'newer code is taken back')
      observed.sometimes(`routes move: ${options.moved}`)
    })
  }

  function planStandstill({ subscriber, days }: NonNullable<Options['standstill']>): void {
    const begin = chance.between(0, 0.8 * end)
    time.after(begin, 'standstill', () => world.functions.stand(subscriber, true))
    const over = begin + days * day
    time.after(over - 60 * minute, 'somebody looks at the books', () =>
      world.command(mendBooks('main', observed)),
    )
    time.after(over, 'standstill is over', async () => {
      await booksNameWhatIsLost({ stage: world, observed })
      world.functions.stand(subscriber, false)
      keepSweeping()
    })
  }

  function keepSweeping(own = ++sweeps): void {
    if (own !== sweeps) return
    world.sweep()
    time.after(minutesBetweenSweeps() * minute, 'sweep', () => keepSweeping(own))
  }

  /** The product's sweep comes each minute: where nothing is left to be tried, a few passes show as much. */
  function minutesBetweenSweeps(): number {
    if (time.now() < Date.parse(noon) + end) return options.sweepEvery
    if (world.functions.standing().length > 0) return hoursOfStandstill * 60
    return world.isParted() ? options.sweepEvery : 14
  }

  const began = Date.parse(noon)
  let quietSince: number | undefined
  await time.run(() => {
    if (observed.violations.length > 0) return true
    if (time.now() < began + end) return false
    quietSince = world.underWay().length === 0 ? (quietSince ?? time.now()) : undefined
    if (quietSince !== undefined && time.now() - quietSince > silence) return true
    return (
      time.now() > began + end + patience + (options.standstill?.days ?? 0) * day || time.steps() > mostSteps
    )
  })
  if (observed.violations.length === 0) await judge()

  async function judge(): Promise<void> {
    if (quietSince === undefined || time.now() - quietSince < silence)
      observed.violated({
        invariant: 'it comes to rest',
        message: `not quiet ${Math.round((time.now() - began - end) / minute)} minutes after faults stopped, ${time.steps()} steps: ${world.underWay().join(', ') || 'something comes and goes'}`,
      })
    // what goes on and on has left more behind than can be looked through
    if (time.steps() > mostSteps) return
    for (const [invariant, check] of Object.entries(invariants))
      for (const wrong of await check({ stage: world, observed })) observed.violated({ invariant, ...wrong })
  }

  return {
    seed,
    options,
    steps: time.steps(),
    hash: time.hash(),
    minutes: Math.round((time.now() - began) / minute),
    seen: [...observed.seen],
    violations: observed.violations,
    trace: observed.trace,
  }
}

function perform(world: Stage, deed: Deed): void {
  if (deed.kind === 'send') world.doors.send(deed.sending)
  else if (deed.kind === 'batch') world.doors.sendBatch(deed.sendings)
  else if (deed.kind === 'garbage') world.doors.garbage(deed.text, deed.project, deed.queue)
  else world.command(declaring(deed))
}
