import type { Finding } from '../findings/finding.ts'
import type { ComprehensiveReport } from './report.ts'

type Now = Omit<ComprehensiveReport, 'trend'>

/** What changed since an earlier report: the score, findings that came and went, terms that moved. */
export function trendOf(before: Now, now: Now): NonNullable<ComprehensiveReport['trend']> {
  const keys = (findings: readonly Finding[]) => new Set(findings.map(({ rule, at }) => `${rule} ${at}`))
  const [then, here] = [keys(before.findings), keys(now.findings)]
  const points = new Map(before.score.terms.map(({ name, unity }) => [name, unity]))
  return {
    score:
      before.score.score === null || now.score.score === null ? null : now.score.score - before.score.score,
    appeared: now.findings.filter(({ rule, at }) => !then.has(`${rule} ${at}`)),
    gone: before.findings.filter(({ rule, at }) => !here.has(`${rule} ${at}`)),
    terms: now.score.terms.flatMap(({ name, unity }) => {
      const earlier = points.get(name) ?? null
      const same = earlier === null || unity === null ? earlier === unity : Math.abs(unity - earlier) <= 0.01
      return same ? [] : [{ name, before: earlier, now: unity }]
    }),
  }
}
