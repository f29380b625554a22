import type { DataOf } from '../../events/event-type.ts'
import type { meshValidated } from '../../events/mesh.validated.ts'
import type { ComprehensiveReport } from '../../mesh/comprehensive/report.ts'
import type { Finding } from '../../mesh/findings/finding.ts'

type Data = DataOf<typeof meshValidated>
type Health = Data['system_health']

/** What is kept of a validation for the next one. */
export type Last = { at: string; score: number | null; system_health: Health }

export type Validated = {
  run: string
  /** with its trend, where there is a report to compare with */
  report: ComprehensiveReport
  /** the validation before; undefined: there was none */
  last: Last | undefined
  /** why what changed is not known although there was one before */
  incomparable: string | undefined
  /** what could not be known, for people */
  unknown: readonly string[]
  /** where the report lies */
  key: string
}

const mostFindings = 10
const mostNotes = 10
const longestText = 500

const gravity = { high: 0, medium: 1, low: 2 } as const
/** A health that is not known is no better and no worse than a good one. */
const rank: Record<Health, number> = { unknown: 0, healthy: 0, strained: 1, failing: 2 }

/** What mesh.validated says of a report: small whatever the report is, and what got worse in words. */
export function validatedData({ run, report, last, incomparable, unknown, key }: Validated): Data {
  const { score, system_health: health, findings, needless, gaps, mesh, trend } = report
  const appeared = trend?.appeared ?? (last === undefined ? findings : [])
  const high = appeared.filter(({ severity }) => severity === 'high').length
  const count = (severity: Finding['severity']) =>
    findings.filter((each) => each.severity === severity).length
  const rounded = score.score === null ? null : round(score.score)
  return {
    run,
    stacks: mesh.stacks.slice(0, 50),
    score: rounded,
    system_health: health,
    terms: score.terms.map(({ name, demand, limit, unit, points }) => ({
      ...{ name, limit, unit },
      demand: demand === null ? null : Number(demand.toPrecision(4)),
      points: points === null ? null : round(points),
    })),
    findings: { high: count('high'), medium: count('medium'), low: count('low') },
    changes: incomparable === undefined ? { appeared: told(appeared), gone: told(trend?.gone ?? []) } : null,
    trend:
      last === undefined
        ? null
        : {
            last: last.at,
            system_health: last.system_health,
            score: rounded === null || last.score === null ? null : round(rounded - last.score),
          },
    worse: [
      ...(last !== undefined && rank[health] > rank[last.system_health]
        ? [`health fell from ${last.system_health} to ${health}`]
        : []),
      ...(incomparable === undefined && high > 0
        ? [`${high} new ${high === 1 ? 'finding' : 'findings'} of high severity`]
        : []),
    ],
    notes: [
      ...(incomparable === undefined ? [] : [`what changed is not known: ${incomparable}`]),
      ...score.caps.map(({ at, because }) => `at most ${at}: ${because}`),
      ...unknown,
      ...score.terms.flatMap(({ name, unity, says, atLeast }) =>
        unity === null ? [`${name}: ${says}`] : atLeast === null ? [] : [`${name}: ${atLeast}`],
      ),
      ...(gaps.length === 0 ? [] : [`${gaps.length} things are not in the model, such as: ${gaps[0]}`]),
      ...needless.map(({ rule, at }) => `accepted, and not found under this load: ${rule} at ${at}`),
    ]
      .slice(0, mostNotes)
      .map(short),
    report: key,
  }
}

const round = (value: number): number => Math.round(value * 100) / 100

const short = (text: string): string =>
  text.length > longestText ? `${text.slice(0, longestText - 1).toWellFormed()}…` : text

/** The first few, the gravest first. */
function told(findings: readonly Finding[]): NonNullable<Data['changes']>['gone'] {
  const sorted = findings.toSorted((a, b) => gravity[a.severity] - gravity[b.severity])
  return {
    items: sorted
      .slice(0, mostFindings)
      .map(({ rule, severity, at, says }) => ({ rule, severity, at: short(at), says: short(says) })),
    left: Math.max(0, findings.length - mostFindings),
  }
}
