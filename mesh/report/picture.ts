import type { Mesh, MeshElement, MeshNode } from '../model.ts'
import type { StaticReport } from '../static/report.ts'
import { escaped } from './escape.ts'
import { layered } from './layout.ts'

const box = { height: 44, perLetter: 7.4, padding: 24, least: 84 }
const widthOf = (name: string): number => Math.max(box.least, name.length * box.perLetter + box.padding)

/** How much of its tightest limit a place uses, as a colour's name in the page's style. */
export function heat(utilisation: number | undefined): string {
  if (utilisation === undefined) return 'unknown'
  if (utilisation > 1) return 'over'
  if (utilisation > 0.7) return 'high'
  return utilisation > 0.4 ? 'some' : 'low'
}

/** The thickness of a line, in pixels: a tenth of the load is a step thinner. */
const thickness = (rate: number, most: number): number =>
  rate <= 0 || most <= 0 ? 1 : Math.max(1, 7 + 1.5 * Math.log10(rate / most))

/**
 * The mesh as an SVG: boxes coloured by the stress of their tightest limit, lines as thick as their load. Ids of nodes
 * are in `data-node`, for whoever makes it answer to a click.
 */
export function picture(mesh: Mesh, { stresses, rates }: StaticReport): string {
  const names = new Map(mesh.nodes.map((node) => [node.id, node]))
  const drawn = mesh.elements.filter(({ from, to }) => names.has(from) && names.has(to))
  const touched = new Set(drawn.flatMap(({ from, to }) => [from, to]))
  const nodes = mesh.nodes.filter(({ id }) => touched.has(id))
  const forward = drawn.filter(({ kind }) => kind !== 'dead-letter')
  const boxes = nodes.map(({ id, name }) => ({ id, width: widthOf(name), height: box.height }))
  const { at, width, height } = layered(boxes, forward.length > 0 ? forward : drawn)
  const worst = new Map<string, number>()
  for (const { at: place, utilisation } of stresses)
    worst.set(place, Math.max(worst.get(place) ?? 0, utilisation))
  const load = new Map<string, number>()
  for (const { node, rate } of rates) load.set(node, (load.get(node) ?? 0) + rate)
  const most = Math.max(0, ...load.values())
  const line = (element: MeshElement) =>
    lineOf(element, names, at, thickness(load.get(element.to) ?? 0, most))
  const margin = 20
  return [
    `<svg class="mesh" viewBox="${-margin} ${-margin} ${Math.ceil(width + 2 * margin)} ${Math.ceil(height + 2 * margin)}" role="img" aria-label="The mesh: ${nodes.length} nodes, ${drawn.length} elements">`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z" class="arrow"/></marker></defs>',
    ...drawn.map(line),
    ...nodes.map((node) => boxOf(node, at.get(node.id), worst.get(node.id), load.get(node.id))),
    '</svg>',
  ].join('\n')
}

type Point = { x: number; y: number }

function lineOf(
  { id, kind, from, to }: MeshElement,
  names: ReadonlyMap<string, MeshNode>,
  at: ReadonlyMap<string, Point>,
  width: number,
): string {
  const [a, b] = [at.get(from), at.get(to)]
  if (a === undefined || b === undefined) return ''
  const half = (node: string) => widthOf(names.get(node)?.name ?? '') / 2
  const ahead = b.x > a.x
  const start = { x: a.x + (ahead ? half(from) : -half(from)), y: a.y }
  const end = { x: b.x + (ahead ? -half(to) : half(to)), y: b.y }
  const bend = Math.max(30, Math.abs(end.x - start.x) / 2) * (ahead ? 1 : -1)
  const n = (value: number) => value.toFixed(1)
  const path = `M${n(start.x)} ${n(start.y)} C${n(start.x + bend)} ${n(start.y)} ${n(end.x - bend)} ${n(end.y)} ${n(end.x)} ${n(end.y)}`
  return `<path class="line ${kind}" data-element="${escaped(id)}" data-from="${escaped(from)}" data-to="${escaped(to)}" d="${path}" stroke-width="${n(width)}" marker-end="url(#arrow)"><title>${escaped(`${names.get(from)?.name} → ${names.get(to)?.name} (${kind})`)}</title></path>`
}

function boxOf(
  node: MeshNode,
  at: Point | undefined,
  used: number | undefined,
  rate: number | undefined,
): string {
  if (at === undefined) return ''
  const width = widthOf(node.name)
  const n = (value: number) => value.toFixed(1)
  const figures = [
    ...(rate ? [`${Number(rate.toPrecision(3))}/s`] : []),
    ...(used === undefined ? [] : [`${Number((100 * used).toPrecision(3))} %`]),
  ].join(' · ')
  return [
    `<g class="node ${node.kind} ${heat(used)}" data-node="${escaped(node.id)}" tabindex="0" transform="translate(${n(at.x - width / 2)} ${n(at.y - box.height / 2)})">`,
    `<title>${escaped(`${node.path} (${node.kind})`)}</title>`,
    `<rect width="${n(width)}" height="${box.height}" rx="${node.kind === 'queue' || node.kind === 'stream' ? 20 : 6}"/>`,
    `<text x="${n(width / 2)}" y="18">${escaped(node.name)}</text>`,
    `<text class="figures" x="${n(width / 2)}" y="34">${escaped(figures || node.kind)}</text>`,
    '</g>',
  ].join('')
}
