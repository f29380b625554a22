import type { Finding } from '../findings/finding.ts'
import type { Mesh } from '../model.ts'
import type { ComprehensiveReport, EarlierReport } from './report.ts'

type Trend = NonNullable<ComprehensiveReport['trend']>

/** Whether an earlier report is of a system that has no node of this one but what is outside of both. */
export function isOfAnother({ mesh: { parts } }: EarlierReport, { nodes }: Mesh): boolean {
  if (parts === undefined) return false
  const own = Object.keys(parts.nodes).filter((id) => !id.startsWith('external/'))
  const here = new Set(nodes.map(({ id }) => id))
  return own.length > 0 && here.size > 0 && !own.some((id) => here.has(id))
}

/** What changed since an earlier report: the score, findings that came and went, terms that moved, parts that are new or gone. */
export function trendOf(
  before: EarlierReport,
  now: Pick<ComprehensiveReport, keyof EarlierReport | 'accepted'>,
): Trend {
  const keys = (findings: readonly Finding[]) => new Set(findings.map(({ rule, at }) => `${rule} ${at}`))
  const [then, here] = [keys(before.findings), keys([...now.findings, ...now.accepted])]
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
    nodes: changed(before.mesh.parts?.nodes, now.mesh.parts?.nodes),
    elements: changed(before.mesh.parts?.elements, now.mesh.parts?.elements),
  }
}

/** By id; what is told is what people call it. */
function changed(
  before: Readonly<Record<string, string>> | undefined,
  now: Readonly<Record<string, string>> | undefined,
): Trend['nodes'] {
  if (before === undefined || now === undefined) return null
  const without = (some: Readonly<Record<string, string>>, others: Readonly<Record<string, string>>) =>
    Object.entries(some).flatMap(([id, name]) => (Object.hasOwn(others, id) ? [] : [name]))
  return { added: without(now, before), removed: without(before, now) }
}
