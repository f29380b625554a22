import type { ComprehensiveReport } from '../comprehensive/report.ts'
import { figure } from '../figure.ts'
import type { Mesh, MeshElement, MeshNode } from '../model.ts'
import { escaped } from './escape.ts'
import { sharedBy } from './heat.ts'
import type { Drawn } from './parts.ts'
import { mostFindings } from './tables.ts'
import type { View } from './view.ts'

/** The whole mesh in words: for who does not see the picture, for the panel beside it, and for what is not drawn. */
export function inWords(
  mesh: Mesh,
  report: ComprehensiveReport,
  { parts: { drawn }, numbers: { load }, boxes }: View,
): string {
  const { stresses, unavailable, rates } = report.static
  const [stressAt, unknownAt, ratesAt] = [
    Map.groupBy(stresses, ({ at }) => at),
    Map.groupBy(unavailable, ({ at }) => at),
    Map.groupBy(rates, ({ node }) => node),
  ]
  const findingsAt = Map.groupBy(
    report.findings.map((finding, index) => ({ finding, index })),
    ({ finding }) => finding.at,
  )
  const into = Map.groupBy(drawn, ({ to }) => to)
  const outOf = Map.groupBy(drawn, ({ from }) => from)
  const limits = (id: string, of = ''): string[] => [
    ...(stressAt.get(id) ?? []).map(
      ({ demand, limit, unit, utilisation, safety, complete }) =>
        `${of}${complete ? '' : 'at least '}${figure(demand)} of ${figure(limit)} ${unit}: ${figure(100 * utilisation)} %${safety === null ? '' : `, holds ${figure(safety)} times the load`}`,
    ),
    ...(unknownAt.get(id) ?? []).map(({ unit, why }) => `${unit}: not known, ${why}`),
  ]
  const shared = (node: MeshNode): string[] =>
    sharedBy(node).flatMap((name) => limits(name, `${name}, shared: `))
  const items = (lines: readonly string[]): string => lines.map((line) => `<li>${line}</li>`).join('')
  const link = (index: number): string =>
    `<a href="#${boxes.has(index) ? 'n' : 'w'}${index}">${escaped(mesh.nodes[index]?.name ?? '')}</a>`
  const findings = (id: string): string[] =>
    (findingsAt.get(id) ?? []).map(({ finding, index }) => {
      const says = `${escaped(finding.severity)}: ${escaped(finding.rule)}`
      return index < mostFindings ? `<a href="#f${index}">${says}</a>` : says
    })
  const rateOf = ({ element, part }: Drawn): string => {
    const known = load.get(element.id)
    if (part === 'dead' || known === undefined) return ''
    if (known.complete) return `, ${figure(known.rate)}/s`
    return known.rate > 0 ? `, at least ${figure(known.rate)}/s` : ', rate not known'
  }
  const element = (one: Drawn): string =>
    `<li id="we${one.index}">${escaped(says(one.element))} → ${link(one.to)}${rateOf(one)}${[...limits(one.element.id).map(escaped), ...findings(one.element.id)].map((text) => `; ${text}`).join('')}</li>`
  const articles = mesh.nodes.map((node, index) => {
    const arriving = [...new Set((into.get(index) ?? []).map(({ from }) => from))]
    const leaving = outOf.get(index) ?? []
    const types = (ratesAt.get(node.id) ?? []).map(
      ({ type, rate, complete }) =>
        `${type === '*' ? 'any type' : type}: ${complete ? '' : 'at least '}${figure(rate)}/s`,
    )
    const { source, path, kind, name } = node
    return [
      `<article id="w${index}"><h3>${escaped(name)}</h3>`,
      `<p class="soft">${escaped(`${kind} · ${path}${source === undefined ? '' : ` · ${source.file}:${source.line}`}`)}</p>`,
      `<ul>${items([...[...types, ...limits(node.id), ...shared(node)].map(escaped), ...findings(node.id)])}</ul>`,
      arriving.length === 0 ? '' : `<p>From ${arriving.map(link).join(', ')}</p>`,
      leaving.length === 0 ? '' : `<p>To</p><ul>${leaving.map(element).join('')}</ul>`,
      '</article>',
    ].join('')
  })
  return `<details class="words"><summary>All ${mesh.nodes.length} nodes and ${drawn.length} elements in words</summary>${articles.join('\n')}</details>`
}

function says(element: MeshElement): string {
  const types = element.types === null ? '' : ` (${element.types.join(', ')})`
  if (element.kind === 'call')
    return `${element.provenance === 'inferred' ? 'may ' : ''}call ${element.action}${types}`
  return `${element.kind === 'dead-letter' ? 'what fails for good' : element.kind}${types}`
}
