import type { ComprehensiveReport } from '../comprehensive/report.ts'
import { figure } from '../figure.ts'
import type { Mesh } from '../model.ts'
import { escaped } from './escape.ts'
import { alike, filledIn, limitingOf } from './said.ts'
import { script } from './script.ts'
import { stage } from './stage.ts'
import { style } from './style.ts'
import { mark, mostFindings, mostRows, section, table } from './tables.ts'
import { type View, viewOf } from './view.ts'

/** One page with everything in it: no script, style, font or picture is fetched. */
export function page(mesh: Mesh, report: ComprehensiveReport): string {
  const names = new Map(mesh.nodes.map(({ id, name }) => [id, name]))
  const nameOf = (id: string): string => names.get(id) ?? id
  const view = viewOf(mesh, report)
  const title = `Mesh of ${report.mesh.stacks.join(', ')}`
  return [
    '<!doctype html>',
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title><style>${style}</style></head><body>`,
    header(title, report),
    stage(mesh, report, view),
    termsSection(report),
    findingsSection(mesh, report, view),
    steadySection(report, nameOf, view),
    surgeSection(report),
    unstableSection(report),
    brokenSection(report, nameOf),
    gapsSection(report),
    `<script>${script}</script></body></html>`,
  ].join('\n')
}

const contents = [
  ['mesh', 'The mesh'],
  ['score', 'Score'],
  ['findings', 'Findings'],
  ['steady', 'Steady state'],
  ['surge', 'A surge'],
  ['retries', 'Retries'],
  ['breaks', 'What breaks'],
  ['unknown', 'What is not known'],
] as const

function header(title: string, { score, system_health: health, mesh, trend }: ComprehensiveReport): string {
  const shown =
    score.score === null
      ? 'no score'
      : `${score.atMost ? 'at most ' : ''}${figure(Math.round(score.score * 10) / 10)}`
  const change =
    trend?.score == null
      ? ''
      : ` <span class="soft">(${trend.score >= 0 ? '+' : ''}${figure(trend.score)})</span>`
  return `<header><div><h1>${escaped(title)}</h1><p class="soft">${mesh.nodes} nodes, ${mesh.elements} elements</p></div><div class="score">${shown}${change}</div><p><b>${health}</b><br>${score.caps.map(({ at, because }) => escaped(`at most ${at}: ${because}`)).join('<br>')}</p></header><nav aria-label="Contents">${contents.map(([id, name]) => `<a href="#${id}">${name}</a>`).join('')}<button id="theme" class="scripted" aria-pressed="false">Dark</button></nav>`
}

const termsSection = ({ score }: ComprehensiveReport): string =>
  section(
    'score',
    'What the score is made of',
    table(
      ['limit state', 'asked', 'allowed', 'unit', 'unity', 'points', 'where'],
      score.terms.map(({ name, demand, endless, limit, unit, unity, points, says, atLeast }) => [
        { html: `${mark(unity ?? undefined)}${escaped(name)}` },
        endless ? '∞' : atLeast === null || demand === null ? demand : { html: `at least ${figure(demand)}` },
        limit,
        unit,
        endless ? '∞' : unity,
        points,
        atLeast === null ? says : `${says}; ${atLeast}`,
      ]),
    ),
  )

function findingsSection(
  mesh: Mesh,
  { findings, accepted, needless, trend }: ComprehensiveReport,
  { boxes }: View,
): string {
  const index = new Map(mesh.nodes.map(({ id }, place) => [id, place]))
  const ends = new Map(mesh.elements.map(({ id, from }) => [id, from]))
  const linked = (at: string, name: string) => {
    const place = index.get(at) ?? index.get(ends.get(at) ?? '')
    return place === undefined
      ? escaped(name)
      : `<a href="#${boxes.has(place) ? 'n' : 'w'}${place}">${escaped(name)}</a>`
  }
  const one = (
    { rule, severity, at, name, path, source, says, mend }: (typeof findings)[number],
    place: number,
  ) =>
    `<div class="finding ${severity}" id="f${place}"><b>${linked(at, name)}</b> <span class="soft">${severity}, ${escaped(rule)}</span><p>${escaped(says)}</p><p>${escaped(mend)}</p><code>${escaped(path)}${source === undefined ? '' : escaped(` · ${source.file}:${source.line}`)}</code></div>`
  const gone = trend?.gone ?? []
  const folded = findings.slice(mostRows, mostFindings)
  const left = findings.length - mostRows - folded.length
  return section(
    'findings',
    'Findings',
    findings.length === 0 ? '<p class="soft">None.</p>' : findings.slice(0, mostRows).map(one).join('\n'),
    folded.length === 0
      ? ''
      : `<details><summary>${folded.length} more${left > 0 ? `, and ${left} in the JSON` : ''}</summary>${folded.map((each, place) => one(each, mostRows + place)).join('\n')}</details>`,
    gone.length === 0
      ? ''
      : `<p class="soft">Gone since the last report: ${escaped(gone.map(({ rule, name }) => `${name} (${rule})`).join(', '))}</p>`,
    accepted.length === 0
      ? ''
      : `<h2>Accepted</h2>${table(
          ['finding', 'at', 'because'],
          accepted.map(({ rule, at, name, because }) => [rule, { html: linked(at, name) }, because]),
        )}`,
    needless.length === 0
      ? ''
      : `<h2>Accepted, and not found any more</h2>${table(
          ['finding', 'at', 'because'],
          needless.map(({ rule, at, because }) => [rule, at, because]),
        )}`,
  )
}

const steadySection = (
  { static: steady }: ComprehensiveReport,
  nameOf: (id: string) => string,
  { ways }: View,
): string => {
  return section(
    'steady',
    'Steady state',
    table(
      ['limit', 'asked', 'of', 'unit', 'used', 'factor of safety', 'says'],
      steady.stresses
        .filter(({ demand }) => demand > 0)
        .map(({ name, demand, limit, unit, utilisation, least, safety, from, complete }) => [
          { html: `${mark(utilisation)}${escaped(name)}` },
          { html: `${complete ? '' : 'at least '}${figure(demand)}` },
          limit,
          unit,
          least === undefined ? utilisation : { html: `${figure(least)} to ${figure(utilisation)}` },
          safety,
          from,
        ]),
    ),
    '<h2>Ways</h2>',
    table(
      ['', 'type', 'a second', 'p50, s', 'p99, s', 'way'],
      steady.paths.map(({ type, rate, delay, nodes, untimed, throttling = [] }, place) => [
        { html: ways[place] ? `<button class="scripted" data-way="${place}">Show</button>` : '' },
        type === '*' ? 'any' : type,
        rate,
        ...[delay?.p50 ?? null, delay?.p99 ?? null].map((time) =>
          time === null || untimed.length + throttling.length === 0
            ? time
            : { html: `${untimed.length > 0 ? 'at least' : 'about'} ${figure(time)}` },
        ),
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
}

const surgeSection = ({ dynamic: surge }: ComprehensiveReport): string =>
  section(
    'surge',
    `A surge to ${figure(surge.shape.factor)} times in ${figure(surge.shape.rise)} s, held for ${figure(surge.shape.hold)} s`,
    table(
      [
        'limit',
        'unit',
        'state',
        'largest backlog',
        'oldest, s',
        'throttled',
        'lost',
        'behind for, s',
        'drained at, s',
        'if batches helped all they can',
      ],
      surge.limits.map((one) => [
        one.name,
        one.unit,
        one.state,
        one.peakBacklog.messages,
        one.oldestAge.seconds,
        one.throttled,
        one.lost,
        one.lag,
        one.drainedAt,
        filledIn(one.filled),
      ]),
    ),
  )

const unstableSection = ({ nonlinear }: ComprehensiveReport): string =>
  section(
    'retries',
    'Retries that feed on themselves',
    nonlinear.mesh.critical === null
      ? '<p>Up to the largest load looked at, nothing buckles.</p>'
      : `<p>At ${figure(nonlinear.mesh.critical.factor)} times the load ${escaped(limitingOf(nonlinear))} ${nonlinear.mesh.critical.by === 'fold' ? 'snaps through' : 'is at its capacity'}.</p>`,
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
          alike(nonlinear.whatIfs).map(({ what, removes, says }) => [
            what,
            removes === null ? '–' : removes ? 'yes' : 'no',
            says,
          ]),
        ),
  )

const brokenSection = ({ fracture }: ComprehensiveReport, nameOf: (id: string) => string): string =>
  section(
    'breaks',
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
      ['type', 'comes in at', 'is accepted', 'ends at', 'points', 'now', 'eventually', 'dropped'],
      fracture.flows.flatMap(({ type, door, accepted, sinks }) =>
        sinks.map(({ nodes, points, now, eventually, dropped }) => [
          type === '*' ? 'any' : type,
          nameOf(door),
          accepted,
          nodes.map(nameOf).join(' or '),
          points.map(nameOf).join(', '),
          now,
          eventually,
          dropped,
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
    'unknown',
    'What is not known, and what is assumed',
    list([...gaps, ...unknown].slice(0, mostRows)),
    `<details><summary>Assumptions</summary>${list(assumptions)}</details>`,
  )
}
