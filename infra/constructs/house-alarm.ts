import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import { named, type Stage } from '../stages.ts'

export type HouseAlarmProps = {
  stage: Stage
  topic: Topic
  /** the section of docs/runbook.md */
  runbook: string
  /** what it is to users while this lasts: one sentence */
  impact: string
  metric: IMetric
  /** it is raised above this, or with `below` under it */
  above?: number
  below?: number
  /** minutes that raise the alarm, in a row or out of the last `of`; the metric's period is one */
  minutes: number
  of?: number
}

/** An alarm that says what it means and where to go on. Silence is health, but where a metric must come. */
export class HouseAlarm extends Construct {
  readonly alarm: Alarm

  constructor(scope: Construct, id: string, props: HouseAlarmProps) {
    super(scope, `${id}-alarm`)
    const { stage, topic, runbook, impact, metric, above, below, minutes, of } = props
    this.alarm = new Alarm(this, 'alarm', {
      alarmName: named(stage, id),
      alarmDescription: `${impact} Runbook: docs/runbook.md#${runbook}`,
      metric,
      threshold: above ?? below ?? 0,
      comparisonOperator:
        below === undefined
          ? ComparisonOperator.GREATER_THAN_THRESHOLD
          : ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: of ?? minutes,
      datapointsToAlarm: of && minutes,
      treatMissingData: below === undefined ? TreatMissingData.NOT_BREACHING : TreatMissingData.BREACHING,
    })
    this.alarm.addAlarmAction(new SnsAction(topic))
    this.alarm.addOkAction(new SnsAction(topic))
  }
}
