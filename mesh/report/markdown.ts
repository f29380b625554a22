import type { ComprehensiveReport } from '../comprehensive/report.ts'
import { endless } from '../comprehensive/score.ts'
import { figure } from '../figure.ts'
import type { Finding } from '../findings/finding.ts'
import { filledIn } from './said.ts'

/** What GitHub takes of a comment, characters. */
const mostOfAComment = 65_536
/** Of a list, at first; of one text. */
const mostItems = 200
const mostLetters = 600

const invisible = '\u200b'

/** Text that stays text in GitHub's Markdown, on one line: no markup, no HTML, nobody mentioned, no issue referred to. */
export function plain(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  const clipped = line.length > mostLetters ? `${line.slice(0, mostLetters - 1)}…` : line
  return clipped
    .replace(/[\\`*_{}[\]|~$]/g, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/[@#]/g, `$&${invisible}`)
    .replace(/^(\d+)([.)])/, '$1\\$2')
    .replace(/^[-+=]/, '\\$&')
    .replace(
      /\b(https?|ftp):\/\/|\bwww\./gi,
      (address) => `${address.slice(0, -1)}${invisible}${address.slice(-1)}`,
    )
}

/** A comprehensive report as a comment of a pull request: at most `limit` characters, with a word of what was left out. */
export function markdown(report: ComprehensiveReport, limit = mostOfAComment): string {
  for (let most = mostItems; most > 0; most = Math.floor(most / 2)) {
    const text = written(report, most)
    if (text.length <= limit) return text
  }
  return written(report, 0).slice(0, limit)
}

function written(report: ComprehensiveReport, most: number): string {
  const { mesh, score, system_health: health, trend } = report
  const shown =
    score.score === null ? 'no score' : `score ${score.atMost ? 'at most ' : ''}${points(score.score)}`
  const change = trend?.score == null ? '' : ` (${signed(trend.score)})`
  return [
    `## Mesh: ${shown}${change}, ${health}`,
    `${mesh.nodes} nodes, ${mesh.elements} elements of ${plain(mesh.stacks.join(', '))}`,
    ...score.caps.map(({ at, because }) => `At most ${at}: ${plain(because)}.`),
    table(
      ['limit state', 'asked', 'allowed', 'of that', 'points', 'where'],
      score.terms.map(
        ({ name, demand, endless: isEndless, limit, unit, unity, points: each, says, atLeast }) => [
          name,
          isEndless ? '∞' : `${atLeast === null || demand === null ? '' : 'at least '}${figure(demand)}`,
          `${figure(limit)} ${plain(unit)}`,
          isEndless ? '**∞**' : unity === null ? '–' : unity > 1 ? `**${percent(unity)}**` : percent(unity),
          each === null ? '–' : points(each),
          plain(atLeast === null ? says : `${says}; ${atLeast}`),
        ],
      ),
    ),
    doors(report),
    ...changes(report, most),
    `### ${report.findings.length === 0 ? 'No findings' : `Findings: ${counted(report.findings)}`}`,
    ...byRule(report.findings, most),
    ...stressed(report, most),
    ...folded(report, most),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n')
}

/** Said beside the terms, for it is none of them: who calls a door that does not answer is told. */
function doors({ fracture, mesh }: ComprehensiveReport): string {
  const [worst] = fracture.flows.toSorted((a, b) => a.accepted - b.accepted)
  if (worst === undefined) return ''
  return `By what AWS promises, the least available door, ${plain(mesh.parts?.nodes[worst.door] ?? worst.door)}, answers ${percent(worst.accepted)} of the time; that is no loss.`
}

const points = (value: number): string => String(Math.round(value * 10) / 10)
const signed = (value: number): string => `${value > 0 ? '+' : ''}${points(value)}`
const percent = (part: number): string => `${figure(100 * part)} %`

const counted = (findings: readonly Finding[]): string =>
  [...Map.groupBy(findings, ({ severity }) => severity)]
    .map(([severity, all]) => `${all.length} ${severity}`)
    .join(', ')

/** So many of a rule stand one by one; of more, the first with where the others are. */
const mostOfARule = 4
const mostPlaces = 20

/** The gravest rules first, as findings come. */
function byRule(findings: readonly Finding[], most: number): string[] {
  const lines = [...Map.groupBy(findings, ({ severity, rule }) => `${severity} ${rule}`).values()].flatMap(
    (all) => {
      const [first] = all
      if (first === undefined || all.length <= mostOfARule) return all.map(findingLine)
      const others = all.slice(1, 1 + mostPlaces).map(({ name }) => plain(name))
      const left = all.length - 1 - others.length
      return [
        `${findingLine(first)}\n  - ${all.length - 1} more of ${plain(first.rule)}: ${others.join(', ')}${left === 0 ? '' : ` ${rest(left + others.length, others.length)}`}`,
      ]
    },
  )
  return lines.length === 0 ? [] : [list(lines, most, (line) => line)]
}

const findingLine = ({ severity, name, rule, path, source, says, mend }: Finding): string =>
  `- **${severity}** ${plain(name)}: ${plain(says)} *${plain(mend)}* (${plain([rule, path, ...(source === undefined ? [] : [`${source.file}:${source.line}`])].join(', '))})`

const table = (headings: readonly string[], rows: readonly (readonly string[])[]): string =>
  [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const rest = (of: number, most: number): string =>
  of <= most
    ? ''
    : most === 0
      ? `${of} left out here; the JSON has all.`
      : `and ${of - most} more, in the JSON`

function list<Item>(items: readonly Item[], most: number, line: (item: Item) => string): string {
  const more = rest(items.length, most)
  return [...items.slice(0, most).map(line), ...(more === '' ? [] : [`- ${more}`])].join('\n')
}

function changes({ trend, score }: ComprehensiveReport, most: number): string[] {
  if (trend === null) return []
  const part = (name: string, unity: number | null): string => {
    const { unit, limit = 1 } = score.terms.find((term) => term.name === name) ?? {}
    if (unity === null) return 'not known'
    return unit === 's' && unity * limit >= endless * (1 - 1e-9)
      ? '∞'
      : `${percent(unity)} of what is allowed`
  }
  const { appeared, gone, terms, nodes, elements } = trend
  const names = (title: string, all: readonly string[] | undefined) =>
    all === undefined || all.length === 0
      ? []
      : [
          `- ${all.length} ${title}: ${all
            .slice(0, most)
            .map((name) => plain(name))
            .join(', ')}${all.length > most ? ` ${rest(all.length, most)}` : ''}`,
        ]
  const lines = [
    ...terms.map(({ name, before, now }) => `- ${name}: ${part(name, before)}, now ${part(name, now)}`),
    ...names('nodes added', nodes?.added),
    ...names('nodes removed', nodes?.removed),
    ...names('elements added', elements?.added),
    ...names('elements removed', elements?.removed),
  ]
  const same = lines.length + appeared.length + gone.length === 0
  return [
    '### What changed',
    same ? 'Nothing.' : lines.join('\n'),
    ...(appeared.length === 0 ? [] : ['New findings:', ...byRule(appeared, most)]),
    ...(gone.length === 0
      ? []
      : [
          'Mended:',
          list(gone, most, ({ name, rule, says }) => `- ~~${plain(name)}: ${plain(says)}~~ (${plain(rule)})`),
        ]),
  ]
}

const mostStressed = 10

function stressed({ static: steady, dynamic }: ComprehensiveReport, most: number): string[] {
  const used = steady.stresses.filter(({ demand }) => demand > 0)
  const rows = used.slice(0, Math.min(most, mostStressed))
  if (rows.length === 0) return []
  return [
    '### Most stressed',
    table(
      ['limit', 'asked', 'of', 'unit', 'used', 'factor of safety'],
      rows.map(({ name, demand, limit, unit, utilisation, least, safety, complete }) => [
        plain(name),
        `${complete ? '' : 'at least '}${figure(demand)}`,
        figure(limit),
        plain(unit),
        `${least === undefined ? '' : `${figure(100 * least)} to `}${percent(utilisation)}`,
        figure(safety),
      ]),
    ),
    rest(used.length, rows.length),
    ...surging(dynamic, most),
  ]
}

/** What waits in a surge, with the other end of what is not known of batches. */
function surging({ shape, limits }: ComprehensiveReport['dynamic'], most: number): string[] {
  const waiting = limits.filter(({ peakBacklog }) => peakBacklog.messages > 0)
  const rows = waiting.slice(0, Math.min(most, mostStressed))
  if (rows.length === 0) return []
  return [
    `### In a surge to ${figure(shape.factor)} times, held for ${figure(shape.hold)} s`,
    table(
      ['limit', 'unit', 'state', 'largest backlog', 'drained at, s', 'if batches helped all they can'],
      rows.map(({ name, unit, state, peakBacklog, drainedAt, filled }) => [
        ...[plain(name), plain(unit), state],
        ...[figure(peakBacklog.messages), figure(drainedAt), plain(filledIn(filled))],
      ]),
    ),
    rest(waiting.length, rows.length),
  ]
}

function folded(
  { accepted, needless, gaps, static: steady, dynamic, nonlinear, fracture }: ComprehensiveReport,
  most: number,
): string[] {
  const unknown = [...gaps, ...steady.unavailable.map(({ name, unit, why }) => `${name}, ${unit}: ${why}`)]
  const assumptions = [...new Set([steady, dynamic, nonlinear, fracture].flatMap((each) => each.assumptions))]
  const fold = (title: string, lines: readonly string[]) =>
    lines.length === 0
      ? []
      : [
          `<details><summary>${title} (${lines.length})</summary>\n\n${list(lines, most, (line) => `- ${plain(line)}`)}\n\n</details>`,
        ]
  const decided = accepted.map(({ name, rule, because }) => `${name} (${rule}): ${because}`)
  const idle = needless.map(({ at, rule }) => `${at} (${rule})`)
  return [
    ...fold('Findings that are accepted', decided),
    ...fold('Accepted, and not found any more', idle),
    ...fold('What is not known', unknown),
    ...fold('Assumptions', assumptions),
  ]
}
