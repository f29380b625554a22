import { Duration } from 'aws-cdk-lib'
import { Metric } from 'aws-cdk-lib/aws-cloudwatch'
import { type TableName, tables } from '../adapters/aws/tables.ts'
import type { Watched } from './alarms.ts'
import { graph, type Row } from './constructs/graphs.ts'
import { ours, period } from './constructs/metrics.ts'
import { named, type Stage } from './stages.ts'

export function functions({ functions: all }: Watched): Row {
  const columns = 4
  return {
    title: 'Functions',
    good: 'no errors, no throttles; durations stay well under the timeouts, and what runs at once under what the account allows.',
    runbook: ['errors', 'throttles', 'canary'],
    graphs: [
      graph(columns, {
        title: 'Errors a minute',
        of: all.map(({ name, lambda }) => lambda.metricErrors({ period, label: name })),
      }),
      graph(columns, {
        title: 'Milliseconds for 99 % of calls',
        of: all.map(({ name, lambda }) => lambda.metricDuration({ period, statistic: 'p99', label: name })),
      }),
      graph(columns, {
        title: 'Running at once',
        of: all.map(({ name, lambda }) =>
          lambda.metric('ConcurrentExecutions', { period, statistic: 'Maximum', label: name }),
        ),
        right: [ofLambda('ConcurrentExecutions', 'Maximum', 'the account')],
      }),
      graph(columns, {
        title: 'Throttled a minute',
        of: all.map(({ name, lambda }) => lambda.metricThrottles({ period, label: name })),
        right: [ofLambda('Throttles', 'Sum', 'the account')],
      }),
    ],
  }
}

const ofLambda = (metricName: string, statistic: string, label: string) =>
  new Metric({ namespace: 'AWS/Lambda', metricName, statistic, period, label })

export function workflowsAndSweep({ stage, stateMachines, relay, sweep }: Watched): Row {
  const columns = 4
  return {
    title: 'Workflows, outbox, sweep',
    good: 'no run fails, the outbox is empty, and the sweep runs each minute with nothing behind it.',
    runbook: [
      'workflow-failed',
      'relay-stopped',
      'stream-age',
      'outbox-waits',
      'sweep-stopped',
      'sweep-behind',
      'sweep-failing',
    ],
    graphs: [
      graph(columns, {
        title: 'Runs started a minute',
        of: stateMachines.map(({ name, machine }) => machine.metricStarted({ period, label: name })),
      }),
      graph(columns, {
        title: 'Runs that failed, timed out or were stopped',
        of: stateMachines.flatMap(({ name, machine }) => [
          machine.metricFailed({ period, label: `${name} failed` }),
          machine.metricTimedOut({ period, label: `${name} timed out` }),
          machine.metricAborted({ period, label: `${name} stopped` }),
        ]),
      }),
      graph(columns, {
        title: 'Outbox: sent by the sweep, stayed; and milliseconds that the stream is read late',
        of: ['Relayed', 'Stayed'].map((name) => ours(stage, name, 'Sum')),
        right: [relay.lambda.metric('IteratorAge', { period, statistic: 'Maximum', label: 'late, ms' })],
      }),
      graph(columns, {
        title: 'Sweep: runs, failures, minutes behind',
        of: [
          sweep.lambda.metricInvocations({ period, label: 'runs' }),
          ours(stage, 'SweepFailures', 'Sum'),
          ours(stage, 'Unreadable', 'Sum'),
        ],
        right: [ours(stage, 'TimelineLagMinutes', 'Maximum')],
      }),
    ],
  }
}

const tableNames: readonly TableName[] = ['history', 'memory', 'ephemeral']

/** A table's metric, and those of its indexes, which AWS counts apart. */
function ofTables(stage: Stage, metricName: string): Metric[] {
  const metric = (name: TableName, index?: string) =>
    new Metric({
      namespace: 'AWS/DynamoDB',
      metricName,
      statistic: 'Sum',
      period,
      label: index === undefined ? name : `${name}/${index}`,
      dimensionsMap: {
        TableName: named(stage, name),
        ...(index === undefined ? {} : { GlobalSecondaryIndexName: index }),
      },
    })
  return tableNames.flatMap((name) => [
    metric(name),
    ...Object.keys(tables[name].indexes).map((index) => metric(name, index)),
  ])
}

export function stores({ stage }: Watched): Row {
  const columns = 3
  const failing = (metricName: string) =>
    new Metric({ namespace: 'AWS/DynamoDB', metricName, statistic: 'Sum', period })
  return {
    title: 'Tables',
    good: 'nothing is throttled: on-demand tables take what comes, but for one key that gets more than 1,000 writes a second.',
    runbook: ['unrecorded'],
    graphs: [
      graph(columns, {
        title: 'Throttled a minute',
        of: [...ofTables(stage, 'WriteThrottleEvents'), ...ofTables(stage, 'ReadThrottleEvents')],
        right: [failing('UserErrors').with({ label: 'refused requests, of the account' })],
      }),
      graph(columns, { title: 'Written, units a minute', of: ofTables(stage, 'ConsumedWriteCapacityUnits') }),
      graph(columns, { title: 'Read, units a minute', of: ofTables(stage, 'ConsumedReadCapacityUnits') }),
    ],
  }
}

/** What is paid for, an hour at a time; tables see above. */
export function costs({
  stage,
  functions: all,
  queues: { record, subscribers },
  http,
  stateMachines,
}: Watched): Row {
  const columns = 4
  const hour = Duration.hours(1)
  return {
    title: 'What costs',
    good: 'all of it goes up and down with what comes in. What goes up alone is a loop, a retry that never ends, or a log that says too much.',
    runbook: ['cost'],
    graphs: [
      graph(columns, {
        title: 'Functions: milliseconds an hour, of half a gigabyte each, of 1.7 for sweep and validate-mesh',
        of: all.map(({ name, lambda }) =>
          lambda.metricDuration({ period: hour, statistic: 'Sum', label: name }),
        ),
      }),
      graph(columns, {
        title: 'Queues: messages an hour',
        of: [record, ...subscribers.map(({ queue }) => queue)].map(({ name, queue }) =>
          queue.metricNumberOfMessagesSent({ period: hour, label: name }),
        ),
      }),
      graph(columns, {
        title: 'Logs: bytes an hour',
        of: all.map(
          ({ name }) =>
            new Metric({
              namespace: 'AWS/Logs',
              metricName: 'IncomingBytes',
              statistic: 'Sum',
              period: hour,
              label: name,
              dimensionsMap: { LogGroupName: `/aws/lambda/${named(stage, name)}` },
            }),
        ),
      }),
      graph(columns, {
        title: 'HTTP requests and workflow runs an hour',
        of: [http.api.metricCount({ period: hour, statistic: 'Sum', label: 'HTTP' })],
        right: stateMachines.map(({ name, machine }) => machine.metricStarted({ period: hour, label: name })),
      }),
    ],
  }
}
