import { figure } from '../figure.ts'
import type { Mesh, MeshNode } from '../model.ts'
import { escaped } from './escape.ts'
import { heat, type Rate, thickness } from './heat.ts'
import { label } from './label.ts'
import { layered } from './layout.ts'
import type { Drawn } from './parts.ts'
import type { View } from './view.ts'
import type { Point } from './ways.ts'

const perLetter = 7.3
const padding = 26
const least = 96
const lineHeight = 15

const sizeOf = (lines: readonly string[], figures: string) => ({
  width: Math.max(
    least,
    padding + perLetter * Math.max(...lines.map((line) => line.length)),
    padding + 6.3 * figures.length,
  ),
  height: 30 + lineHeight * lines.length,
})

const short = (value: number): string => String(Number(value.toPrecision(3)))

function figuresOf({ kind }: MeshNode, rate: Rate | undefined, used: number | undefined): string {
  const numbers = [
    ...(rate?.rate ? [`${rate.complete ? '' : '≥ '}${short(rate.rate)}/s`] : []),
    ...(used === undefined ? [] : [`${short(100 * used)} %`]),
  ]
  return [kind, ...numbers].join(' · ')
}

/**
 * The mesh as an SVG of its natural size: boxes coloured by the stress of their tightest limit, lines as thick as their
 * load. Nodes and elements go by their place in the mesh, `n3` and `e7`, here and wherever the page speaks of them.
 */
export function picture(mesh: Mesh, { parts: { aside }, boxes, lines: drawn, numbers }: View): string {
  const { used: usedAt, rate, load, most } = numbers
  const shown = mesh.nodes.flatMap((node, index) => (boxes.has(index) ? [{ node, index }] : []))
  const places = new Map(shown.map(({ index }, place) => [index, place]))
  const texts = shown.map(({ node, index }) => {
    const figures = figuresOf(node, rate.get(node.id), usedAt.get(node.id))
    const lines = label(node.name)
    return { lines, figures, ...sizeOf(lines, figures), aside: aside[index] === true }
  })
  const { at, paths, width, height } = layered(
    texts,
    drawn.map(({ from, to, part }) => ({
      from: places.get(from) ?? 0,
      to: places.get(to) ?? 0,
      leads: part === 'way' || part === 'may',
      sure: part === 'way',
    })),
  )
  const margin = 16
  const [w, h] = [Math.ceil(width + 2 * margin), Math.ceil(height + 2 * margin)]
  const lineOf = ({ index, element, part, from, to }: Drawn, place: number) => {
    const carried = load.get(element.id)?.rate ?? 0
    const wide = part === 'way' || part === 'may' ? thickness(carried, most) : 1
    return `<g class="element ${part} ${element.kind} ${heat(usedAt.get(element.id))}" id="e${index}" data-from="${from}" data-to="${to}"><path class="hit" d="${paths[place]}"/><path class="line" d="${paths[place]}" stroke-width="${wide.toFixed(1)}" marker-end="url(#arrow)"/></g>`
  }
  // thick lines below thin ones, boxes over all
  const order = drawn
    .map((each, place) => ({ each, place }))
    .toSorted((a, b) => (load.get(b.each.element.id)?.rate ?? 0) - (load.get(a.each.element.id)?.rate ?? 0))
  return [
    `<svg class="mesh" width="${w}" height="${h}" viewBox="${-margin} ${-margin} ${w} ${h}" role="group" aria-label="${escaped(`The mesh: ${shown.length} nodes, ${drawn.length} elements. All of it is below in words.`)}">`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 .5 8 4 0 7.5z" class="arrow"/></marker></defs>',
    ...order.map(({ each, place }) => lineOf(each, place)),
    ...shown.map(({ node, index }, place) => {
      const text = texts[place] ?? { lines: [], figures: '', width: 0, height: 0 }
      const used = usedAt.get(node.id)
      return boxOf({ node, index, ...text, used, at: at[place] ?? { x: 0, y: 0 } })
    }),
    '</svg>',
  ].join('\n')
}

const round: ReadonlySet<string> = new Set(['queue', 'stream'])
const shapeOf = (kind: string): number =>
  round.has(kind) ? 18 : kind === 'table' || kind === 'bucket' ? 1 : 6

function boxOf(given: {
  node: MeshNode
  index: number
  lines: readonly string[]
  figures: string
  width: number
  height: number
  used: number | undefined
  at: Point
}): string {
  const { node, index, lines, figures, width, height, used, at } = given
  const n = (value: number) => value.toFixed(1)
  const says = `${node.name}, ${figures.replaceAll(' · ', ', ')}${used === undefined ? ', stress not known' : ` of its tightest limit`}`
  const bar =
    used === undefined
      ? ''
      : `<rect class="used" x="10" y="${height - 6}" width="${n(Math.max(2, (width - 20) * Math.min(1, used)))}" height="3" rx="1.5"/>`
  return [
    `<g class="node ${node.kind} ${heat(used)}" id="n${index}" role="img" aria-label="${escaped(says)}" transform="translate(${n(at.x - width / 2)} ${n(at.y - height / 2)})">`,
    `<title>${escaped(`${node.path} (${node.kind})${used === undefined ? '' : `, ${figure(100 * used)} % used`}`)}</title>`,
    `<rect class="box" width="${n(width)}" height="${height}" rx="${shapeOf(node.kind)}"/>`,
    ...lines.map(
      (line, place) => `<text x="${n(width / 2)}" y="${18 + lineHeight * place}">${escaped(line)}</text>`,
    ),
    `<text class="figures" x="${n(width / 2)}" y="${18 + lineHeight * lines.length}">${escaped(figures)}</text>`,
    bar,
    '</g>',
  ].join('')
}
