import { CfnOutput, Duration, Stack } from 'aws-cdk-lib'
import {
  type Alarm,
  AlarmStatusWidget,
  AlarmStatusWidgetSortBy,
  Dashboard,
  PeriodOverride,
} from 'aws-cdk-lib/aws-cloudwatch'
import type { Construct } from 'constructs'
import type { Watched } from './alarms.ts'
import { bySubscriber, graph, laidOut, type Row, width } from './constructs/graphs.ts'
import { ours } from './constructs/metrics.ts'
import { costs, functions, stores, workflowsAndSweep } from './dashboard-ground.ts'
import { handlers, queues, wayIn } from './dashboard-way.ts'

/**
 * One page for somebody who was woken up: first whether anything is wrong, then the way of an event from door to handler,
 * then what it all stands on. Each row says what good looks like and where to go on.
 */
export function addDashboard(scope: Construct, watched: Watched, alarms: readonly Alarm[]): void {
  const { stage } = watched
  const dashboard = new Dashboard(scope, 'dashboard', {
    dashboardName: `loadpath-${stage.name}`,
    defaultInterval: Duration.hours(3),
    periodOverride: PeriodOverride.INHERIT,
  })
  for (const row of [
    whatIsWrong(watched, alarms),
    wayIn(watched),
    queues(watched),
    handlers(watched),
    functions(watched),
    workflowsAndSweep(watched),
    stores(watched),
    costs(watched),
  ])
    dashboard.addWidgets(...laidOut(row))
  const { region } = Stack.of(scope)
  new CfnOutput(scope, 'dashboard-address', {
    description: 'What an operator looks at first',
    value: `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards/dashboard/loadpath-${stage.name}`,
  })
}

function whatIsWrong(watched: Watched, alarms: readonly Alarm[]): Row {
  const { stage } = watched
  const columns = 4
  return {
    title: `loadpath-${stage.name}: is anything wrong?`,
    good: 'every alarm is OK and these four graphs are empty. First of all: `loadpath check`, `loadpath smoke`.',
    runbook: ['dead-letters', 'parked', 'lost-on-the-way', 'missing', 'quarantine'],
    graphs: [
      new AlarmStatusWidget({
        title: 'Alarms; an alarm says what it means and which section of the runbook is its own',
        width,
        height: 6,
        alarms: [...alarms],
        sortBy: AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
      }),
      graph(columns, { title: 'Dead, until mended', of: bySubscriber(watched, 'OpenDead', 'Maximum') }),
      graph(columns, { title: 'Parked, until resumed', of: bySubscriber(watched, 'OpenParked', 'Maximum') }),
      graph(columns, {
        title: 'Missing, sent again, behind',
        of: ['Missing', 'Resent', 'Behind'].map((name) => ours(stage, name, 'Sum')),
      }),
      graph(columns, { title: 'Quarantined a minute', of: [ours(stage, 'Quarantined', 'Sum')], limit: 20 }),
    ],
  }
}
