import { GraphWidget, type IMetric, type IWidget, TextWidget } from 'aws-cdk-lib/aws-cloudwatch'
import type { Watched } from '../alarms.ts'
import { ours } from './metrics.ts'

/** Of a dashboard, in the units of its widgets. */
export const width = 24

export type Row = {
  title: string
  /** what these graphs look like when all is well */
  good: string
  /** sections of docs/runbook.md that say what to do when they do not */
  runbook: readonly string[]
  graphs: readonly IWidget[]
}

/** What one graph shows, and a line that a value should stay under. */
type Graph = { title: string; of: readonly IMetric[]; right?: readonly IMetric[]; limit?: number }

export const laidOut = ({ title, good, runbook, graphs }: Row): IWidget[] => [
  new TextWidget({
    width,
    height: 2,
    markdown: `## ${title}\n**Good:** ${good} **Else:** ${runbook.map((section) => `docs/runbook.md#${section}`).join(', ')}`,
  }),
  ...graphs,
]

export const graph = (columns: number, { title, of, right = [], limit }: Graph): GraphWidget =>
  new GraphWidget({
    title,
    width: width / columns,
    height: 6,
    left: [...of],
    right: [...right],
    leftYAxis: { min: 0 },
    rightYAxis: { min: 0 },
    leftAnnotations: limit === undefined ? [] : [{ value: limit, label: 'rings', color: '#d13212' }],
  })

/** One line for each subscriber. */
export const bySubscriber = (
  { stage, queues: { subscribers } }: Watched,
  metricName: string,
  statistic: string,
) =>
  subscribers.map(({ queue: { name } }) =>
    ours(stage, metricName, statistic, { subscriber: name }).with({ label: name }),
  )
