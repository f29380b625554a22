import { fractureGraph, type GraphAnswer, parseGraph } from '../../mesh/fracture/graph.ts'
import { analyseNetwork, type NetworkAnswer } from '../../mesh/network/analyse.ts'
import { parseNetwork } from '../../mesh/network/network.ts'
import type { Cli } from '../context.ts'
import { type Paint, table } from '../output.ts'
import { analysing, readWritten } from './files.ts'

/** The steady state of a network that a file describes. */
export function showNetwork(cli: Cli, file: string): void {
  const answer = analysing(() => analyseNetwork(file, parseNetwork(file, readWritten(file))))
  cli.show(answer, networkText)
}

/** What breaks in a graph that a file describes. */
export function showGraph(cli: Cli, file: string): void {
  const answer = analysing(() => fractureGraph(parseGraph(file, readWritten(file))))
  cli.show(answer, graphText)
}

/** Of a list, in a text for people. */
export const shownRows = 20

/** How many more there are of what a text shows the first of, and where. */
export const leftOut = (p: Paint, all: readonly unknown[], what: string, most = shownRows): string[] =>
  all.length <= most ? [] : [p.dim(`and ${all.length - most} more ${what}: --json has all`)]

/** Four digits that count; what grows without end has no number. */
export const digits = (value: number | null): string =>
  value === null ? '∞' : String(Number(value.toPrecision(4)))

function networkText({ nodes }: NetworkAnswer, p: Paint): string {
  const rows = Object.entries(nodes).flatMap(([node, classes]) =>
    Object.entries(classes).map(([kind, found]) => [
      node,
      kind,
      digits(found.arrivalRate),
      digits(found.throughput),
      (found.utilisation >= 1 ? p.red : found.utilisation > 0.7 ? p.yellow : String)(
        digits(found.utilisation),
      ),
      digits(found.number),
      digits(found.time),
      digits(found.loss),
      [
        ...(found.saturated === undefined ? [] : [p.red(found.saturated)]),
        ...(found.approximate === undefined ? [] : [`≈ ${found.approximate}`]),
      ].join('; '),
    ]),
  )
  const headings = [
    'node',
    'class',
    'arrivals/s',
    'throughput/s',
    'utilisation',
    'number',
    'time, s',
    'loss',
    '',
  ]
  return table(p, headings, rows)
}

function graphText(answer: GraphAnswer, p: Paint): string {
  const rows = Object.entries(answer.reliability).map(([sink, value]) => {
    const error = answer.reliabilityError[sink] ?? 0
    const single = answer.singlePointsOfFailure[sink] ?? []
    return [
      sink,
      error === 0 ? digits(value) : `${digits(value)} ± ${digits(error)}`,
      answer.unreachable.includes(sink) ? p.red('no edge leads to it') : single.join(', ') || '-',
    ]
  })
  const chain = Object.entries(answer.dominators).map(([vertex, dominator]) => `${vertex} ← ${dominator}`)
  return [
    table(p, ['sink', 'is reached', 'single points of failure'], rows),
    '',
    `immediate dominators: ${chain.join(', ')}`,
  ].join('\n')
}
