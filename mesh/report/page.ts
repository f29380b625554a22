import type { ComprehensiveReport } from '../comprehensive/report.ts'
import type { Mesh } from '../model.ts'
import { escaped } from './escape.ts'
import { figure } from './figure.ts'
import { heat, picture } from './picture.ts'
import { script, style } from './style.ts'

type Cell = string | number | null | { html: string }

const cellOf = (cell: Cell): string => {
  if (typeof cell === 'number' || cell === null) return `<td class="n">${figure(cell)}</td>`
  return `<td>${typeof cell === 'string' ? escaped(cell) : cell.html}</td>`
}

const mostRows = 40

function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  if (rows.length === 0) return '<p class="soft">Nothing.</p>'
  const numeric = (column: number) =>
    rows.every((row) => typeof row[column] === 'number' || row[column] === null)
  const head = headings.map(
    (name, column) => `<th${numeric(column) ? ' class="n"' : ''}>${escaped(name)}</th>`,
  )
  const body = rows.slice(0, mostRows).map((row) => `<tr>${row.map(cellOf).join('')}</tr>`)
  const more =
    rows.length > mostRows ? `<p class="soft">and ${rows.length - mostRows} more, in the JSON</p>` : ''
  return `<div class="scroll"><table><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('')}</tbody></table></div>${more}`
}

const mark = (utilisation: number | undefined): string => `<span class="mark ${heat(utilisation)}"></span>`

const section = (title: string, ...parts: readonly string[]): string =>
  `<section><h2>${escaped(title)}</h2>${parts.join('\n')}</section>`

/** One page with everything in it: no script, style, font or picture is fetched. */
export function page(mesh: Mesh, report: ComprehensiveReport): string {
  const names = new Map(mesh.nodes.map(({ id, name }) => [id, name]))
  const nameOf = (id: string): string => names.get(id) ?? id
  const title = `Mesh of ${report.mesh.stacks.join(', ')}`
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title><style>${style}</style></head><body>`,
    header(title, report),
    termsSection(report),
    findingsSection(report),
    section(
      'The mesh',
      legend,
      `<div class="frame">${picture(mesh, report.static)}</div>`,
      '<p class="soft">A click on a box leaves what it is tied to; a click beside it brings all back.</p>',
    ),
    steadySection(report, nameOf),
    surgeSection(report),
    unstableSection(report),
    brokenSection(report, nameOf),
    gapsSection(report),
    `<script>${script}</script></body></html>`,
  ].join('\n')
}

const legend = `<div class="legend"><span>${mark(0.1)}up to 40 % of its tightest limit</span><span>${mark(0.5)}up to 70 %</span><span>${mark(0.9)}up to 100 %</span><span>${mark(2)}over it</span><span>${mark(undefined)}not known</span><span>thicker: more load</span><span>dashed: dead letters</span></div>`

function header(title: string, { score, system_health: health, mesh, trend }: ComprehensiveReport): string {
  const shown = score.score === null ? 'no score' : figure(Math.round(score.score * 10) / 10)
  const change =
    trend?.score == null
      ? ''
      : ` <span class="soft">(${trend.score >= 0 ? '+' : ''}${figure(trend.score)})</span>`
  return `<header><div><h1>${escaped(title)}</h1><p class="soft">${mesh.nodes} nodes, ${mesh.elements} elements</p></div><div class="score">${shown}${change}</div><p><b>${health}</b><br>${score.caps.map(({ at, because }) => escaped(`at most ${at}: ${because}`)).join('<br>')}</p></header>`
}

const termsSection = ({ score }: ComprehensiveReport): string =>
  section(
    'What the score is made of',
    table(
      ['limit state', 'asked', 'allowed', 'unit', 'unity', 'points', 'where'],
      score.terms.map(({ name, demand, limit, unit, unity, points, says }) => [
        { html: `${mark(unity ?? undefined)}${escaped(name)}` },
        demand,
        limit,
        unit,
        unity,
        points,
        says,
      ]),
    ),
  )

function findingsSection({ findings, trend }: ComprehensiveReport): string {
  const one = ({ rule, severity, name, path, source, says, mend }: (typeof findings)[number]) =>
    `<div class="finding ${severity}"><b>${escaped(name)}</b> <span class="soft">${severity}, ${escaped(rule)}</span><p>${escaped(says)}</p><p>${escaped(mend)}</p><code>${escaped(path)}${source === undefined ? '' : escaped(` · ${source.file}:${source.line}`)}</code></div>`
  const gone = trend?.gone ?? []
  return section(
    'Findings',
    findings.length === 0 ? '<p class="soft">None.</p>' : findings.slice(0, mostRows).map(one).join('\n'),
    gone.length === 0
      ? ''
      : `<p class="soft">Gone since the last report: ${escaped(gone.map(({ rule, name }) => `${name} (${rule})`).join(', '))}</p>`,
  )
}

const steadySection = ({ static: steady }: ComprehensiveReport, nameOf: (id: string) => string): string =>
  section(
    'Steady state',
    table(
      ['limit', 'asked', 'of', 'unit', 'used', 'factor of safety', 'says'],
      steady.stresses
        .filter(({ demand }) => demand > 0)
        .map(({ name, demand, limit, unit, utilisation, safety, from, complete }) => [
          { html: `${mark(utilisation)}${escaped(name)}` },
          { html: `${complete ? '' : 'at least '}${figure(demand)}` },
          limit,
          unit,
          utilisation,
          safety,
          from,
        ]),
    ),
    '<h2>Ways</h2>',
    table(
      ['type', 'a second', 'p50, s', 'p99, s', 'way'],
      steady.paths.map(({ type, rate, delay, nodes }) => [
        type,
        rate,
        delay?.p50 ?? null,
        delay?.p99 ?? null,
        nodes.map(nameOf).join(' → '),
      ]),
    ),
    '<h2>Shares of the load</h2>',
    table(
      ['role', 'share', 'expected', 'difference', 'why'],
      steady.shares.roles.map(({ role, share, expected, difference, why }) => [
        role,
        share,
        expected,
        difference,
        why.join('; '),
      ]),
    ),
  )

const surgeSection = ({ dynamic: surge }: ComprehensiveReport): string =>
  section(
    `A surge to ${figure(surge.shape.factor)} times in ${figure(surge.shape.rise)} s, held for ${figure(surge.shape.hold)} s`,
    table(
      [
        'limit',
        'state',
        'largest backlog',
        'oldest, s',
        'throttled',
        'lost',
        'behind for, s',
        'drained at, s',
      ],
      surge.limits.map((one) => [
        one.name,
        one.state,
        one.peakBacklog.messages,
        one.oldestAge.seconds,
        one.throttled,
        one.lost,
        one.lag,
        one.drainedAt,
      ]),
    ),
  )

const unstableSection = ({ nonlinear }: ComprehensiveReport): string =>
  section(
    'Retries that feed on themselves',
    nonlinear.mesh.critical === null
      ? '<p>Up to the largest load looked at, nothing buckles.</p>'
      : `<p>At ${figure(nonlinear.mesh.critical.factor)} times the load ${escaped(nonlinear.mesh.limiting ?? '')} ${nonlinear.mesh.critical.by === 'fold' ? 'snaps through' : 'is at its capacity'}.</p>`,
    table(
      ['site', 'state', 'asked', 'capacity', 'attempts of each', 'amplification'],
      nonlinear.sites.map(({ name, state, demand, capacity, attempts, amplification }) => [
        name,
        state,
        demand,
        capacity,
        attempts,
        amplification,
      ]),
    ),
    nonlinear.whatIfs.length === 0
      ? ''
      : table(
          ['what if', 'removes it', ''],
          nonlinear.whatIfs.map(({ what, removes, says }) => [
            what,
            removes === null ? '–' : removes ? 'yes' : 'no',
            says,
          ]),
        ),
  )

const brokenSection = ({ fracture }: ComprehensiveReport, nameOf: (id: string) => string): string =>
  section(
    'What breaks when something breaks',
    table(
      ['without', 'is', 'share of the flow', 'types', 'nodes cut off', 'holds for, s', 'recovers in, s'],
      fracture.removals.map(({ name, is, share, types, nodes, holdsFor, recovery }) => [
        name,
        is,
        share,
        types,
        nodes,
        holdsFor,
        recovery.seconds,
      ]),
    ),
    '<h2>Single points of failure, by type</h2>',
    table(
      ['type', 'comes in at', 'ends at', 'points', 'now', 'eventually'],
      fracture.flows.flatMap(({ type, door, sinks }) =>
        sinks.map(({ nodes, points, now, eventually }) => [
          type,
          nameOf(door),
          nodes.map(nameOf).join(' or '),
          points.map(nameOf).join(', '),
          now,
          eventually,
        ]),
      ),
    ),
  )

function gapsSection({
  gaps,
  static: steady,
  dynamic: surge,
  nonlinear,
  fracture,
}: ComprehensiveReport): string {
  const assumptions = [
    ...new Set([
      ...steady.assumptions,
      ...surge.assumptions,
      ...nonlinear.assumptions,
      ...fracture.assumptions,
    ]),
  ]
  const list = (lines: readonly string[]) =>
    `<ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>`
  const unknown = steady.unavailable.map(({ name, unit, why }) => `${name}, ${unit}: ${why}`)
  return section(
    'What is not known, and what is assumed',
    list([...gaps, ...unknown].slice(0, mostRows)),
    `<details><summary>Assumptions</summary>${list(assumptions)}</details>`,
  )
}
