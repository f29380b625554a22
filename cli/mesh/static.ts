import type { Mesh } from '../../mesh/model.ts'
import { analyseStatic } from '../../mesh/static/analyse.ts'
import type { StaticReport } from '../../mesh/static/report.ts'
import type { Cli } from '../context.ts'
import { type Paint, table } from '../output.ts'
import { type AppOptions, loadedApp } from './app.ts'
import { digits, leftOut, shownRows } from './bare.ts'
import { analysing } from './files.ts'

/** The steady state of an app under its loads. */
export function showStatic(cli: Cli, options: AppOptions): void {
  const { mesh, report } = analysing(() => {
    const loaded = loadedApp(cli, options)
    return { mesh: loaded.mesh, report: analyseStatic(loaded) }
  })
  cli.show(report, (shown, p) => staticText(shown, mesh, p))
}

function staticText(report: StaticReport, mesh: Mesh, p: Paint): string {
  const names = new Map(mesh.nodes.map(({ id, name }) => [id, name]))
  const nameOf = (id: string): string => names.get(id) ?? id
  const colour = (utilisation: number) => (utilisation > 1 ? p.red : utilisation > 0.7 ? p.yellow : p.green)
  const used = report.stresses.filter(({ demand }) => demand > 0)
  const limits = table(
    p,
    ['limit', 'asked', 'of', 'unit', 'used', 'safety'],
    used
      .slice(0, shownRows)
      .map(({ name, demand, limit, unit, utilisation, safety, complete }) => [
        name,
        `${complete ? '' : '≥ '}${digits(demand)}`,
        digits(limit),
        unit,
        colour(utilisation)(`${digits(100 * utilisation)} %`),
        safety === null ? '-' : digits(safety),
      ]),
  )
  const ways = table(
    p,
    ['type', 'a second', 'p50, s', 'p99, s', 'way'],
    report.paths
      .slice(0, shownRows)
      .map(({ type, rate, delay, nodes, untimed, throttling = [] }) => [
        type,
        rate === null ? 'unknown' : digits(rate),
        delay === null
          ? p.red('∞')
          : `${untimed.length > 0 ? '≥ ' : throttling.length > 0 ? '≈ ' : ''}${digits(delay.p50)}`,
        delay === null ? p.red('∞') : digits(delay.p99),
        nodes.map(nameOf).join(' → '),
      ]),
  )
  const percent = (part: number | null) => (part === null ? '-' : `${(100 * part).toFixed(1)} %`)
  const parts = table(
    p,
    ['share of the load', 'is', 'expected', 'difference', 'why'],
    report.shares.roles.map(({ role, share, expected, difference, why }) => [
      role,
      percent(share),
      percent(expected),
      difference !== null && difference > 0 ? `+${percent(difference)}` : percent(difference),
      why.join('; '),
    ]),
  )
  const { safety } = report
  return [
    ...report.loops.map(({ nodes, gain }) =>
      p.red(`endless loop, ${digits(gain)} times as many at each round: ${nodes.map(nameOf).join(' → ')}`),
    ),
    ...report.unexplained.map(({ node, type, rate }) =>
      p.yellow(
        rate > 0
          ? `measured: ${digits(rate)} a second of ${type} at ${nameOf(node)} more than what leads there brings`
          : `measured: ${digits(-rate)} a second of ${type} at ${nameOf(node)} less than what leads there brings`,
      ),
    ),
    safety === null
      ? p.yellow(
          `No factor of safety: no demand on any limit is known.${report.rates.some(({ rate }) => rate > 0) ? '' : ' Give --rates.'}`,
        )
      : p.bold(
          `The load may grow ${digits(safety.factor)} times; then ${safety.name} has no more ${safety.unit}.`,
        ),
    ...(used.length === 0 ? [] : ['', limits, ...leftOut(p, used, 'limits')]),
    ...(report.paths.length === 0 ? [] : ['', ways, ...leftOut(p, report.paths, 'ways')]),
    '',
    parts,
    ...(report.unavailable.length === 0
      ? []
      : [
          '',
          p.dim(
            `not known: ${report.unavailable.length} limits, for no time was given: ${[...new Set(report.unavailable.map(({ name }) => name))].slice(0, 10).join(', ')}`,
          ),
        ]),
    '',
    ...report.assumptions.map((line) => p.dim(`assumed: ${line}`)),
  ].join('\n')
}
