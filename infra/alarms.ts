import { type Alarm, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { Topic } from 'aws-cdk-lib/aws-sns'
import type { Construct } from 'constructs'
import { HouseAlarm, type HouseAlarmProps } from './constructs/house-alarm.ts'
import type { HouseFunction } from './constructs/house-function.ts'
import type { HouseQueue } from './constructs/house-queue.ts'
import type { HttpDoor } from './constructs/http-door.ts'
import { ours, period } from './constructs/metrics.ts'
import type { Workflow } from './constructs/workflow.ts'
import { named, type Stage } from './stages.ts'

export type Watched = {
  stage: Stage
  topic: Topic
  functions: readonly HouseFunction[]
  /** what lets events in: their new versions are watched alone */
  gates: readonly HouseFunction[]
  relay: HouseFunction
  sweep: HouseFunction
  validateMesh: HouseFunction
  queues: Record<'record' | 'deadLetters' | 'orderedDeadLetters' | 'busDeadLetters', HouseQueue> & {
    subscribers: readonly { queue: HouseQueue }[]
  }
  stateMachines: readonly Workflow[]
  http: HttpDoor
}

/**
 * One alarm per concern; answers all of them. What our own metrics say of subscribers is one query over all of them, in which each that it
 * finds is a contributor of its own; what only AWS counts, by queue or function, cannot be asked for in one.
 */
export function addAlarms(scope: Construct, watched: Watched): Alarm[] {
  const { stage, topic, functions, gates, relay, sweep, validateMesh, queues, stateMachines, http } = watched
  const alarms: Alarm[] = []
  const alarm = (
    id: string,
    props: Omit<HouseAlarmProps, 'stage' | 'topic' | 'runbook'> & { runbook?: string },
  ) => {
    const made = new HouseAlarm(scope, id, { stage, topic, runbook: id, ...props }).alarm
    alarms.push(made)
    return made
  }
  const sum = (metricName: string, dimensions = {}) => ours(stage, metricName, 'Sum', dimensions)
  const most = (metricName: string) => ours(stage, metricName, 'Maximum')
  const overSubscribers = (metricName: string, statistic: 'SUM' | 'MAX') =>
    new MathExpression({
      expression: `SELECT ${statistic}(${metricName}) FROM SCHEMA(Loadpath, stage, subscriber) WHERE stage = '${stage.name}' GROUP BY subscriber ORDER BY ${statistic}() DESC`,
      period,
    })

  // the books
  if (stage.metricQueries) {
    alarm('dead-letters', {
      impact: 'What a subscriber should have done for some events was given up and waits for a person.',
      // as long as they lie: whoever redrives, edits or drops them ends it. New ones are told by `notify` too
      metric: overSubscribers('OpenDead', 'MAX'),
      above: 0,
      minutes: 1,
      of: 5,
    })
    alarm('parked', {
      impact:
        'Events wait for a subscriber that somebody paused or that is held back: nothing happens for them.',
      // a pass of the sweep may be left out
      metric: overSubscribers('OpenParked', 'MAX'),
      above: 0,
      minutes: 25,
      of: 30,
    })
    alarm('circuit-open', {
      impact: 'What a subscriber needs does not answer: its events are parked until it does.',
      metric: overSubscribers('OpenCircuits', 'MAX'),
      above: 0,
      minutes: 5,
      of: 10,
    })
    alarm('failing-handler', {
      impact:
        'A subscriber fails again and again; its events are tried again and will be dead if it goes on.',
      metric: overSubscribers('Failed', 'SUM'),
      above: 10,
      minutes: 5,
    })
  }
  alarm('lost-on-the-way', {
    impact:
      'Events are recorded and do not reach their subscribers: the sweep sends them on 15 minutes late.',
    metric: sum('Resent'),
    above: 0,
    minutes: 15,
  })
  alarm('missing', {
    impact:
      'Deliveries of some events left no trace, and cannot be sent again while their queue is never empty.',
    metric: most('Behind'),
    above: 0,
    minutes: 55,
    of: 60,
  })
  alarm('outbox-waits', {
    impact: 'Events of commands cannot be sent: what was declared or decided over the API is not said on.',
    metric: sum('Stayed'),
    above: 0,
    minutes: 5,
  })
  alarm('relay-stopped', {
    impact:
      'The sweep sends what the relay should: events of commands go out minutes late, and few at a time.',
    // as often as that may be: there are hours with few commands
    metric: sum('Relayed'),
    above: 0,
    minutes: 5,
    of: 30,
  })
  alarm('sweep-behind', {
    impact:
      'The sweep cannot keep up or cannot read something: what is lost now is sent on late, or not found.',
    metric: most('TimelineLagMinutes'),
    above: 30,
    minutes: 15,
  })
  alarm('sweep-failing', {
    impact: 'A part of the sweep fails each time: what that part mends is not mended.',
    metric: sum('SweepFailures'),
    above: 0,
    minutes: 3,
    of: 5,
  })
  alarm('unrecorded', {
    impact: 'The gate cannot write down what comes in: senders get 503, queues fill, nothing is handled.',
    metric: sum('Unavailable'),
    above: 0,
    minutes: 3,
  })
  alarm('quarantine', {
    impact:
      'A sender, or a new version of the gate, has events refused; nothing happens for them until mended.',
    metric: sum('Quarantined'),
    above: 20,
    minutes: 3,
  })

  // queues
  alarm('backlog', {
    impact:
      'More than 10,000 events wait to be recorded: everything comes late, nothing is lost for four days.',
    metric: queues.record.queue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
    above: 10_000,
    minutes: 10,
  })
  for (const { name, queue } of [queues.record, ...queues.subscribers.map((subscriber) => subscriber.queue)])
    alarm(`oldest-message-${name}`, {
      runbook: 'oldest-message',
      impact: `${name} is behind: what it does for events comes more than ten minutes late.`,
      metric: queue.metricApproximateAgeOfOldestMessage({ period }),
      above: 600,
      minutes: 10,
    })
  for (const [id, { queue }] of [
    ['letters-waiting', queues.deadLetters],
    ['ordered-letters-waiting', queues.orderedDeadLetters],
    ['bus-letters-waiting', queues.busDeadLetters],
  ] as const)
    alarm(id, {
      runbook: 'letters-waiting',
      impact: 'Messages that nobody could handle lie in a dead letter queue and are not marked yet.',
      metric: queue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' }),
      above: 0,
      minutes: 15,
    })

  // functions
  for (const fn of functions)
    alarm(`errors-${fn.name}`, {
      runbook: 'errors',
      impact: `${fn.name} crashes or times out: its callers get errors, or its queue is tried again.`,
      metric: fn.lambda.metricErrors({ period }),
      above: 0,
      minutes: 3,
      of: 10,
    })
  alarm('throttles', {
    impact: 'Functions of this account are refused concurrency: everything of ours may come late.',
    metric: new Metric({ namespace: 'AWS/Lambda', metricName: 'Throttles', statistic: 'Sum', period }),
    above: 10,
    minutes: 5,
  })
  alarm('stream-age', {
    impact: 'The relay is behind or fails: what was declared or decided over the API is said on late.',
    metric: relay.lambda.metric('IteratorAge', { period, statistic: 'Maximum' }),
    above: 60_000,
    minutes: 5,
  })
  alarm('sweep-stopped', {
    impact:
      'Nobody mends and tells: lost messages stay lost, and approvals and runs stay open past their end.',
    metric: sweep.lambda.metricInvocations({ period }),
    below: 1,
    minutes: 10,
  })
  alarm('mesh-not-validated', {
    impact: 'What is deployed was not analysed this week: nobody is told where the structure got weaker.',
    // all tries of the schedule's start failed; one that fails is tried again
    metric: validateMesh.lambda.metric('AsyncEventsDropped', { period, statistic: 'Sum' }),
    above: 0,
    minutes: 1,
  })
  alarm('http-errors', {
    impact: 'Senders and users get 5xx: webhooks that GitHub does not send again by itself may be lost.',
    metric: http.api.metricServerError({ period, statistic: 'Sum' }),
    above: 0,
    minutes: 1,
  })

  // workflows
  for (const { name, machine } of stateMachines)
    for (const [kind, metric] of [
      ['failed', machine.metricFailed({ period })],
      ['timed-out', machine.metricTimedOut({ period })],
    ] as const)
      alarm(`workflow-${kind}-${name}`, {
        runbook: 'workflow-failed',
        impact: `A run of ${name} ended without its result: what it was started for is not done.`,
        metric,
        above: 0,
        minutes: 1,
      })

  // a new version, held against the one before: what is wrong with both says nothing about it
  for (const fn of gates) {
    if (fn.entering === undefined) continue
    const { resource, version } = fn.entering
    const functionName = named(stage, fn.name)
    const canary = (id: string, props: Pick<HouseAlarmProps, 'impact' | 'metric' | 'above'>) =>
      alarm(`canary-${id}-${fn.name}`, { runbook: 'canary', ...props, minutes: 2, of: 5 })
    fn.rollBackOn([
      canary('errors', {
        impact: `The new version of ${fn.name} crashes or times out; it is taken back.`,
        metric: new Metric({
          namespace: 'AWS/Lambda',
          metricName: 'Errors',
          statistic: 'Sum',
          period,
          dimensionsMap: { FunctionName: functionName, Resource: resource, ExecutedVersion: version },
        }),
        above: 0,
      }),
      canary('rejects', {
        impact: `The new version of ${fn.name} turns away what the one before it takes; it is taken back.`,
        metric: new MathExpression({
          // shares of what comes, while both have traffic: of fewer than five a minute nothing can be said
          expression:
            'IF(a + r >= 5 AND aa + rr - a - r >= 5, r / (a + r) - (rr - r) / (aa + rr - a - r), 0)',
          usingMetrics: {
            a: sum('Accepted', { function: functionName, version }),
            r: sum('Rejected', { function: functionName, version }),
            aa: sum('Accepted', { function: functionName }),
            rr: sum('Rejected', { function: functionName }),
          },
          period,
        }),
        above: 0.25,
      }),
    ])
  }
  return alarms
}
