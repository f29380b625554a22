import { Duration } from 'aws-cdk-lib'
import { Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { Stage } from '../stages.ts'

/** Of every metric but those that say otherwise. */
export const period = Duration.minutes(1)

/** What functions tell by themselves (adapters/lambda/telemetry.ts). */
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
    dimensionsMap: { stage: stage.name, ...dimensions },
  })
