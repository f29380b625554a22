import type { StageConfig } from '../adapters/stage-config.ts'
import type { Health, Subscriber } from './answers.ts'
import { awsSettings } from './aws.ts'
import type { Cli } from './context.ts'
import { localTime } from './output.ts'
import {
  type CheckedResource,
  type Depth,
  findFunctions,
  findMachines,
  findMappings,
  findQueues,
  findRules,
  findTables,
  sayOf,
} from './resources.ts'

/** One kind of thing that the stage should have: how many of them are there and work, and why the others do not. */
export type Part = { part: string; have: number; should: number; faults: string[] }

export type Checked = {
  stage: string
  ok: boolean
  parts: Part[]
  queues: Depth[]
  backlog: number
  /** letters that nothing has drained yet, and deliveries that wait to be mended */
  deadLetters: { letters: number; deliveries: number | undefined }
  /** who does not run, or has something parked, and why; undefined when that was not asked for */
  held?: Held[]
  notes: string[]
}

/** As the API says it; `parked` are counted up to 1000. */
type Held = Pick<Subscriber, 'subscriber' | 'paused' | 'circuits'> & { parked: number }

type Routes = readonly { subscriber: string; kind: string; ordered?: boolean | undefined }[]

const deadLetterQueues = ['dead-letters', 'dead-letters.fifo', 'bus-dead-letters']

/** As they are deployed; as they are here when the API does not say. */
async function routesOf(cli: Cli, answers: boolean): Promise<Routes> {
  const here = (await import('../events/routes.ts')).routes
  if (!answers) return here
  try {
    return (await (await cli.api()).routes()).items
  } catch (error) {
    cli.note(sayOf(error))
    return here
  }
}

/** Holds everything of a stage against what it should have. Never throws for what is not there: it says so. */
export async function checkStage(cli: Cli): Promise<Checked> {
  const stage = cli.stage()
  const parts: Part[] = []
  const result: Checked = {
    stage: stage.name,
    ok: false,
    parts,
    queues: [],
    backlog: 0,
    deadLetters: { letters: 0, deliveries: undefined },
    notes: [],
  }
  const config = await configOf(cli, parts)
  if (config !== undefined) {
    const answers = await checkApi(cli, parts, result)
    if (answers) {
      result.deadLetters.deliveries = await deadDeliveries(cli)
      await checkSubscribers(cli, result)
    }
    await checkResources(cli, config, await routesOf(cli, answers), result)
  }
  if (stage.local)
    result.notes.push(
      'The local endpoint saves its state only when it ends gracefully (Ctrl-C or `loadpath down`): killed, it loses what came since its last start.',
    )
  if (result.deadLetters.deliveries)
    result.notes.push('Dead deliveries wait to be mended: loadpath dead list')
  result.ok = parts.every(({ have, should }) => have === should)
  return result
}

async function configOf(cli: Cli, parts: Part[]): Promise<StageConfig | undefined> {
  try {
    const config = await cli.stage().config()
    parts.push({ part: 'endpoint', have: 1, should: 1, faults: [] })
    return config
  } catch (error) {
    parts.push({ part: 'endpoint', have: 0, should: 1, faults: [sayOf(error)] })
    return undefined
  }
}

/** False when it cannot be asked further. */
async function checkApi(cli: Cli, parts: Part[], result: Checked): Promise<boolean> {
  try {
    const { parts: inside, version } = await (await cli.api()).health()
    const saysOf = (found: Health['parts'] = []) =>
      found.flatMap(({ name, status, detail }) => (status === 'ok' ? [] : [`${name}: ${detail ?? status}`]))
    const { sweep, others } = Object.groupBy(inside ?? [], ({ name }) => (name === 'sweep' ? name : 'others'))
    parts.push(oneOf('API', saysOf(others)))
    if (sweep !== undefined) parts.push(oneOf('sweep', saysOf(sweep)))
    result.notes.push(`The API is of version ${version}.`)
    if (inside === undefined)
      result.notes.push(
        'No API key is configured, so the API was asked for no more than whether it answers: loadpath keys create me --scope admin --save',
      )
    return inside !== undefined
  } catch (error) {
    parts.push({ part: 'API', have: 0, should: 1, faults: [sayOf(error)] })
    return false
  }
}

const oneOf = (part: string, faults: string[]): Part => ({
  part,
  have: faults.length === 0 ? 1 : 0,
  should: 1,
  faults,
})

/** An open circuit is a fault; a pause is somebody's decision, and what is parked may be on its way already. */
async function checkSubscribers(cli: Cli, result: Checked): Promise<void> {
  try {
    const { items } = await (await cli.api()).subscribers()
    const held = items.flatMap(({ subscriber, paused, circuits, open: { parked } }) =>
      paused || circuits.length > 0 || parked > 0 ? [{ subscriber, paused, circuits, parked }] : [],
    )
    const broken = held.filter(({ circuits }) => circuits.length > 0)
    result.held = held
    result.parts.push({
      part: 'circuits',
      have: items.length - broken.length,
      should: items.length,
      faults: broken.map(holding),
    })
    result.notes.push(...held.filter((one) => !broken.includes(one)).map(holding))
    if (held.length > 0) result.notes.push('What holds subscribers back: loadpath subscribers')
  } catch (error) {
    cli.note(sayOf(error))
  }
}

function holding({ subscriber, paused, circuits: [first, ...more], parked }: Held): string {
  const others = more.length > 0 ? ` (and ${more.length} more)` : ''
  const says = [
    paused ? `paused since ${localTime(paused.at)} by ${paused.by}` : [],
    first ? `circuit open since ${localTime(first.since)}: ${first.reason}${others}` : [],
    parked > 0 ? `${parked} parked` : [],
  ]
  return `${subscriber}: ${says.flat().join('; ')}`
}

/** Up to 100 are counted. */
async function deadDeliveries(cli: Cli): Promise<number | undefined> {
  try {
    const { items, unreadable } = await (await cli.api()).deadLetters({ limit: 100 })
    return items.length + unreadable.length
  } catch (error) {
    cli.note(sayOf(error))
    return undefined
  }
}

async function checkResources(cli: Cli, config: StageConfig, routes: Routes, result: Checked): Promise<void> {
  const stage = cli.stage()
  const settings = await awsSettings(stage)
  const subscribers = routes.map(({ subscriber, ordered }) => (ordered ? `${subscriber}.fifo` : subscriber))
  const workflows = routes.flatMap(({ kind, subscriber }) => (kind === 'workflow' ? [subscriber] : []))
  const queues = ['record', ...subscribers, ...deadLetterQueues]
  const [functions, depths, mappings, rules, machines, tables] = await Promise.all([
    findFunctions(settings, config),
    findQueues(settings, config, queues),
    findMappings(settings, config, queues),
    findRules(settings, config),
    findMachines(settings, config, workflows),
    findTables(settings, config),
  ])
  result.queues = depths.flatMap(({ depth }) => depth ?? [])
  for (const { queue, waiting, handled, delayed } of result.queues) {
    const all = waiting + handled + delayed
    if (deadLetterQueues.includes(queue)) result.deadLetters.letters += all
    else result.backlog += all
  }
  result.parts.push(
    partOf('functions', functions),
    partOf('queues', depths),
    partOf('mappings', mappings),
    partOf('rules', rules),
    partOf('state machines', machines),
    partOf('tables', tables),
  )
}

const partOf = (part: string, found: readonly CheckedResource[]): Part => ({
  part,
  have: found.filter(({ fault }) => fault === undefined).length,
  should: found.length,
  // what several have in common is said once
  faults: [...Map.groupBy(found, ({ fault }) => fault)].flatMap(([fault, same]) =>
    fault === undefined ? [] : [`${same.map(({ name }) => name).join(', ')}: ${fault}`],
  ),
})
