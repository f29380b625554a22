import { Duration } from 'aws-cdk-lib'
import { GraphWidget, type IMetric, type IWidget, Metric, TextWidget } from 'aws-cdk-lib/aws-cloudwatch'
import type { Watched } from '../alarms.ts'
import type { Stage } from '../stages.ts'

/** Of every graph but those that say otherwise. */
export const period = Duration.minutes(1)
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

export const ours = (
  stage: Stage,
  metricName: string,
  statistic: string,
  dimensions: Record<string, string> = {},
) =>
  new Metric({
    namespace: 'Loadpath',
    metricName,
    statistic,
    period,
    label: dimensions.subscriber ?? metricName,
    dimensionsMap: { stage: stage.name, ...dimensions },
  })

/** One line for each subscriber. */
export const bySubscriber = (
  { stage, queues: { subscribers } }: Watched,
  metricName: string,
  statistic: string,
) => subscribers.map(({ queue: { name } }) => ours(stage, metricName, statistic, { subscriber: name }))
