import * as z from 'zod'
import type { DataOf } from '../../events/event-type.ts'
import { meshValidated } from '../../events/mesh.validated.ts'
import { comprehensive } from '../../mesh/comprehensive/analyse.ts'
import { type ComprehensiveReport, comprehensiveReport } from '../../mesh/comprehensive/report.ts'
import { load } from '../../mesh/load.ts'
import type { Loads } from '../../mesh/loads.ts'
import type { Mesh } from '../../mesh/model.ts'
import { markdown } from '../../mesh/report/markdown.ts'
import { page } from '../../mesh/report/page.ts'
import { Failure } from '../errors.ts'
import { outboxItems } from '../event/outbox.ts'
import { faultsOf } from '../event/versions.ts'
import type { Bodies, Clock, Memory, MemoryRecord, RecordKey, Stacks } from '../ports.ts'
import { ago, day } from '../time.ts'
import { deployedMesh } from './deployed.ts'
import { validatedData } from './validated.ts'

/** What is known of the load of a mesh, and in words what is not. */
export type LoadKnown = { loads: Loads; unknown: readonly string[] }

export type ValidateDeps = {
  memory: Memory
  bodies: Bodies
  stacks: Stacks
  clock: Clock
  measure: (mesh: Mesh, since: string) => Promise<LoadKnown>
}

/** What is validated: stacks of one region, by their names. */
export type Structure = { stacks: readonly string[]; region: string }

/** `told`: false when this run was told before; `data` is then what was told last. */
export type Validation = { told: boolean; data: DataOf<typeof meshValidated> }

/** The structure is that of all projects; who operates the stage is told in this one. */
const project = 'main'
const recordKey: RecordKey = { project, kind: 'mesh', name: 'validation' }

const remembered = z.object({
  /** the last few, so that none is told twice */
  runs: z.array(z.string()),
  at: z.iso.datetime(),
  data: meshValidated.schema,
})
const mostRuns = 20

/** How long back the load is measured. */
const window = 7 * day

/**
 * Analyses what is deployed under the load of the last week, keeps the report for as long as the event that tells of it,
 * and tells once for each `run`: what is remembered and what is told are one commit. What crashes before it is done again
 * from the beginning, onto the same report.
 * @throws Failure Busy when another run was told meanwhile: to be tried again, against that one
 */
export async function validateMesh(
  run: string,
  { stacks: names, region }: Structure,
  { memory, bodies, stacks, clock, measure }: ValidateDeps,
): Promise<Validation> {
  const record = await memory.get(recordKey)
  const { last, unreadable } = lastOf(record)
  if (last?.runs.includes(run)) return { told: false, data: last.data }
  const at = clock()
  const mesh = await deployedMesh(names, region, stacks)
  const { loads, unknown } = await measure(mesh, ago(at, window))
  const before = last === undefined ? undefined : await reportAt(last.data.report, bodies)
  const report = comprehensive(load(mesh, loads), before?.report && { before: before.report })
  const key = `audit/${project}/mesh/${run}`
  await keep(key, mesh, report, bodies)
  const data = validatedData({
    ...{ run, report, unknown, key },
    last: last && { at: last.at, score: last.data.score, system_health: last.data.system_health },
    incomparable: unreadable ?? before?.unreadable,
  })
  const version = (record?.version ?? 0) + 1
  const value = { runs: [run, ...(last?.runs ?? [])].slice(0, mostRuns), at, data }
  const verdict = await memory.commit({
    writes: [{ ...recordKey, version, value }],
    outbox: outboxItems(
      { emits: [{ type: meshValidated, data }], sequence: version },
      { project, by: 'validate-mesh', actor: 'system' },
    ),
  })
  if (verdict !== 'committed')
    throw new Failure('Busy', 'somebody else has validated the mesh meanwhile: try again')
  return { told: true, data }
}

/** What an older or newer version wrote and this one cannot read is told, and the run goes on without it. */
function lastOf(record: MemoryRecord | undefined) {
  if (record === undefined) return {}
  const { data, error } = remembered.safeParse(record.value)
  return error === undefined
    ? { last: data }
    : { unreadable: `what was kept of the last validation cannot be read: ${placeOf(error, record.value)}` }
}

async function reportAt(
  key: string,
  bodies: Bodies,
): Promise<{ report?: ComprehensiveReport; unreadable?: string }> {
  const name = `${key}.json`
  const body = await bodies.get(name)
  if (body === undefined) return { unreadable: `the last report is gone: ${name}` }
  const value = jsonOf(body)
  const { data, error } = comprehensiveReport.safeParse(value)
  return error === undefined
    ? { report: data }
    : { unreadable: `the last report cannot be read: ${name}: ${placeOf(error, value)}` }
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'))
  } catch {
    return undefined
  }
}

/** Where it is wrong first, without what stands there. */
const placeOf = (error: z.ZodError, value: unknown): string => {
  const [fault] = faultsOf(error, value, '')
  return fault === undefined ? 'unknown' : `${fault.path}: expected ${fault.expected}`
}

async function keep(key: string, mesh: Mesh, report: ComprehensiveReport, bodies: Bodies): Promise<void> {
  await bodies.put(`${key}.html`, Buffer.from(page(mesh, report)))
  await bodies.put(`${key}.md`, Buffer.from(markdown(report)))
  await bodies.put(`${key}.json`, Buffer.from(JSON.stringify(report)))
}

/** `2026-W47`: the week by ISO 8601 that a time lies in, by which a week has one run of the schedule. */
export function weekOf(time: string): string {
  const date = new Date(Date.parse(time))
  // the Thursday of a week says which year's it is
  const thursday = new Date(date.getTime() + (3 - ((date.getUTCDay() + 6) % 7)) * day)
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1)
  const week = 1 + Math.floor((thursday.getTime() - first) / (7 * day))
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, '0')}`
}
