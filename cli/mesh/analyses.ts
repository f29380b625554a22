import * as z from 'zod'
import { statOf } from '../../mesh/assembly/read/disk.ts'
import { comprehensive } from '../../mesh/comprehensive/analyse.ts'
import {
  type ComprehensiveReport,
  type EarlierReport,
  earlierReport,
  reportVersion,
} from '../../mesh/comprehensive/report.ts'
import { isOfAnother } from '../../mesh/comprehensive/trend.ts'
import { dynamic } from '../../mesh/dynamic/dynamic.ts'
import type { DynamicReport } from '../../mesh/dynamic/report.ts'
import { MeshError } from '../../mesh/faults.ts'
import { fracture } from '../../mesh/fracture/analyse.ts'
import type { FractureReport } from '../../mesh/fracture/report.ts'
import type { Mesh } from '../../mesh/model.ts'
import { nonlinear } from '../../mesh/nonlinear/nonlinear.ts'
import type { NonlinearReport } from '../../mesh/nonlinear/report.ts'
import { markdown } from '../../mesh/report/markdown.ts'
import { page } from '../../mesh/report/page.ts'
import { alike, limitingOf } from '../../mesh/report/said.ts'
import type { Cli } from '../context.ts'
import { type Paint, table } from '../output.ts'
import { type AppOptions, loadedApp } from './app.ts'
import { digits, leftOut, shownRows } from './bare.ts'
import { analysing, readJson, writeText } from './files.ts'
import { type Outputs, refuseOverwriting } from './outputs.ts'

export type DynamicOptions = AppOptions & {
  shape: 'step' | 'burst' | 'ramp'
  factor: number
  hold?: number
  rise?: number
  type?: string[]
  seed?: number
}

/** What a surge does to each limit. */
export function showDynamic(
  cli: Cli,
  { shape, factor, hold, rise, type, seed, ...options }: DynamicOptions,
): void {
  const report = analysing(() =>
    dynamic(loadedApp(cli, options), {
      ...{ shape, factor, types: type, seed },
      ...(hold === undefined ? {} : { hold: secondsOf(hold) }),
      ...(rise === undefined ? {} : { rise: secondsOf(rise) }),
    }),
  )
  cli.show(report, dynamicText)
}

const secondsOf = (milliseconds: number): number => Math.round(milliseconds / 1000)

/** Where retries feed on themselves. */
export function showNonlinear(cli: Cli, options: AppOptions): void {
  cli.show(
    analysing(() => nonlinear(loadedApp(cli, options))),
    nonlinearText,
  )
}

export type OutageOptions = { outage?: number | undefined; seed?: number | undefined }

const outageOf = ({ outage, seed = 1 }: OutageOptions) => ({
  seed,
  outage: outage === undefined ? undefined : secondsOf(outage),
})

/** What breaks when a node or an element does. */
export function showFracture(cli: Cli, { outage, seed, ...options }: AppOptions & OutageOptions): void {
  const how = outageOf({ outage, seed })
  const { mesh, report } = analysing(() => {
    const loaded = loadedApp(cli, options)
    return { mesh: loaded.mesh, report: fracture(loaded, how) }
  })
  cli.show(report, (shown, p) => fractureText(shown, mesh, p))
}

export type ComprehensiveOptions = AppOptions &
  OutageOptions &
  Outputs & {
    before?: string
    threshold?: number
  }

/** All of them, with the score; failed when that is below the threshold, or not known where there is one. */
export function showComprehensive(
  cli: Cli,
  { html, markdown: comment, before, threshold, outage, seed, ...options }: ComprehensiveOptions,
): void {
  const how = outageOf({ outage, seed })
  refuseOverwriting({ html, markdown: comment }, { before, ...options })
  const { mesh, report } = analysing(() => {
    const earlier = before === undefined ? undefined : readEarlier(before)
    const loaded = loadedApp(cli, options)
    const other = earlier !== undefined && isOfAnother(earlier, loaded.mesh)
    if (other)
      cli.note(
        `${before}: is a report of another app (${earlier.mesh.stacks.join(', ')}), with no node of this one: nothing is compared with it`,
      )
    const trend = earlier === undefined || other ? {} : { before: earlier }
    return { mesh: loaded.mesh, report: comprehensive(loaded, { ...how, ...trend }) }
  })
  if (html !== undefined) writeText(html, page(mesh, report))
  if (comment !== undefined) writeText(comment, markdown(report))
  const { score } = report.score
  // what is not known is below any
  if (threshold !== undefined && (score === null || score < threshold)) cli.failed()
  cli.show(report, comprehensiveText)
}

function readEarlier(file: string): EarlierReport {
  if (statOf(file) === undefined)
    throw new MeshError(
      `--before: ${file} is not there: where there is no earlier report yet, leave --before out`,
    )
  const value = readJson(file)
  const parsed = earlierReport.safeParse(value)
  if (parsed.success) return parsed.data
  const version = versioned.safeParse(value).data?.version
  if (version !== undefined && version !== reportVersion)
    throw new MeshError(
      `${file}: is a report of version ${version}, and this one writes and reads ${reportVersion}: make it anew with --json, of the older commit by the loadpath of now, or leave --before out once`,
    )
  const { path = [], message } = parsed.error.issues[0] ?? {}
  throw new MeshError(
    `${file}: is no report of loadpath mesh comprehensive --json: ${path.join('.')}: ${message}`,
  )
}

const versioned = z.object({ version: z.number() })

const assumed = (p: Paint, lines: readonly string[]): string[] =>
  lines.map((line) => p.dim(`assumed: ${line}`))

const notKnown = (p: Paint, unavailable: readonly { name: string; why: string }[]): string[] => [
  ...unavailable.slice(0, shownRows).map(({ name, why }) => p.dim(`not known: ${name}: ${why}`)),
  ...leftOut(p, unavailable, 'that are not known'),
]

const number = (value: number | null): string => (value === null ? '-' : digits(value))

function dynamicText({ limits, shape, unavailable, assumptions }: DynamicReport, p: Paint): string {
  const rows = limits
    .slice(0, shownRows)
    .map((one) => [
      one.name,
      one.unit,
      (one.state === 'behind' ? p.red : one.state === 'recovered' ? p.yellow : p.green)(one.state),
      digits(one.peakBacklog.messages),
      digits(one.oldestAge.seconds),
      digits(one.throttled),
      digits(one.lost),
      number(one.lag),
      number(one.drainedAt),
    ])
  return [
    p.bold(`${shape.shape} to ${digits(shape.factor)} times, held for ${digits(shape.hold)} s`),
    table(
      p,
      [
        'limit',
        'unit',
        'state',
        'backlog',
        'oldest, s',
        'throttled',
        'lost',
        'behind for, s',
        'drained at, s',
      ],
      rows,
    ),
    ...leftOut(p, limits, 'limits'),
    ...limits
      .slice(0, shownRows)
      .flatMap(({ name, unit, notes }) => notes.map((note) => `${name}, ${unit}: ${note}`)),
    ...notKnown(p, unavailable),
    ...assumed(p, assumptions),
  ].join('\n')
}

function nonlinearText(report: NonlinearReport, p: Paint): string {
  const { mesh, sites, whatIfs, unavailable, assumptions } = report
  const { critical } = mesh
  const rows = sites
    .slice(0, shownRows)
    .map(({ name, state, demand, capacity, attempts, amplification, critical: own }) => [
      name,
      (state === 'stable' ? p.green : state === 'vulnerable' ? p.yellow : p.red)(state),
      digits(demand),
      number(capacity),
      digits(attempts),
      number(amplification),
      own === null ? '-' : `${digits(own.factor)} (${own.by})`,
    ])
  return [
    critical === null
      ? p.bold(
          `Nothing${unavailable.length === 0 ? '' : ' of what is known'} buckles up to the largest load looked at.`,
        )
      : p.bold(
          `At ${digits(critical.factor)} times the load ${limitingOf(report)} ${critical.by === 'fold' ? 'snaps through' : 'is at its capacity'}.`,
        ),
    table(p, ['site', 'state', 'asked', 'capacity', 'attempts', 'amplification', 'critical load'], rows),
    ...leftOut(p, sites, 'sites'),
    ...alike(whatIfs).map(({ what, says }) => p.dim(`${what}: ${says}`)),
    ...notKnown(p, unavailable),
    ...assumed(p, assumptions),
  ].join('\n')
}

function fractureText(
  { removals, flows, outage, assumptions }: FractureReport,
  mesh: Mesh,
  p: Paint,
): string {
  const names = new Map(mesh.nodes.map(({ id, name }) => [id, name]))
  const nameOf = (id: string): string => names.get(id) ?? id
  const lost = removals
    .slice(0, shownRows)
    .map(({ name, is, share, types, nodes, recovery }) => [
      name,
      is,
      share === null ? 'unknown' : `${digits(100 * share)} %`,
      String(types),
      String(nodes),
      number(recovery.seconds),
    ])
  const ends = flows.flatMap(({ type, door, sinks }) => sinks.map((sink) => ({ type, door, ...sink })))
  const points = ends
    .slice(0, shownRows)
    .map(({ type, door, nodes, types, points: single, now, eventually }) => [
      type,
      `${nameOf(door)} → ${nodes.map(nameOf).join(' or ')}${types.every((as) => as === type) ? '' : ` as ${types.join(', ')}`}`,
      number(now),
      number(eventually),
      single.map(nameOf).join(', ') || '-',
    ])
  return [
    p.bold(`Outages last ${digits(outage)} s`),
    table(p, ['without', 'is', 'lost', 'types', 'nodes', 'recovers in, s'], lost),
    ...leftOut(p, removals, 'removals'),
    '',
    table(p, ['type', 'way', 'now', 'eventually', 'single points of failure'], points),
    ...leftOut(p, ends, 'ways'),
    '',
    ...assumed(p, assumptions),
  ].join('\n')
}

function comprehensiveText(report: ComprehensiveReport, p: Paint): string {
  const { score, system_health: health, findings, accepted, needless, gaps, trend } = report
  const { static: steady, dynamic: surge, nonlinear: unstable, fracture: broken } = report
  const assumptions = [steady, surge, unstable, broken].flatMap((each) => each.assumptions)
  const colour = health === 'healthy' ? p.green : health === 'failing' ? p.red : p.yellow
  const terms = score.terms.map(({ name, demand, endless, limit, unit, unity, points, says, atLeast }) => [
    name,
    endless ? '∞' : `${atLeast === null || demand === null ? '' : '≥ '}${number(demand)}`,
    digits(limit),
    unit,
    (unity !== null && unity > 1 ? p.red : String)(endless ? '∞' : number(unity)),
    number(points),
    atLeast === null ? says : `${says}; ${atLeast}`,
  ])
  const severity = { high: p.red, medium: p.yellow, low: p.dim }
  return [
    `${p.bold(score.score === null ? 'no score' : `score ${score.atMost ? '≤ ' : ''}${digits(score.score)}`)}${trend?.score == null ? '' : ` (${trend.score >= 0 ? '+' : ''}${digits(trend.score)})`}, ${colour(health)}`,
    ...score.caps.map(({ at, because }) => `at most ${at}: ${because}`),
    '',
    table(p, ['limit state', 'asked', 'allowed', 'unit', 'unity', 'points', 'where'], terms),
    ...(findings.length === 0 ? [] : ['']),
    ...findings
      .slice(0, shownRows)
      .map(({ severity: how, rule, path, says, mend, source }) =>
        [
          `${severity[how](how)} ${says} ${mend}`,
          p.dim(`${rule} ${path}${source === undefined ? '' : ` ${source.file}:${source.line}`}`),
        ].join('\n  '),
      ),
    ...leftOut(p, findings, 'findings'),
    ...accepted.map(({ rule, name, because }) => p.dim(`accepted: ${rule} at ${name}: ${because}`)),
    ...needless.map(({ rule, at }) =>
      p.yellow(`${rule} at ${at} is accepted and not found any more: take it out`),
    ),
    ...gaps.slice(0, shownRows).map((line) => p.yellow(line)),
    ...leftOut(p, gaps, 'gaps'),
    '',
    ...assumed(p, [...new Set(assumptions)]),
  ].join('\n')
}
