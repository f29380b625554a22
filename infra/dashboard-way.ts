import type { Watched } from './alarms.ts'
import { bySubscriber, graph, type Row } from './constructs/graphs.ts'
import { ours, period } from './constructs/metrics.ts'
import { named } from './stages.ts'

/** The doors by the functions that keep them. */
const doors: Readonly<Record<string, string>> = {
  ingest: 'HTTP (ingest)',
  record: 'bus, handlers, workflows (record)',
  relay: 'commands (relay)',
}

export function wayIn({ stage, gates, http }: Watched): Row {
  const columns = 4
  const byDoor = (metricName: string) =>
    gates.map(({ name }) =>
      ours(stage, metricName, 'Sum', { function: named(stage, name) }).with({ label: doors[name] ?? name }),
    )
  const of = (...names: string[]) => names.map((name) => ours(stage, name, 'Sum'))
  return {
    title: 'In: what came, by door, and what became of it',
    good: 'each door lets in what it does at this time of day; next to nothing is turned away, and nothing is unavailable.',
    runbook: ['unrecorded', 'quarantine', 'http-errors', 'canary'],
    graphs: [
      graph(columns, { title: 'Let in, by door', of: byDoor('Accepted') }),
      graph(columns, {
        title: 'Recorded, and known already',
        of: of('Recorded', 'Known'),
      }),
      graph(columns, {
        title: 'Turned away: why',
        of: of('Refused', 'Quarantined', 'Conflicts', 'Denied', 'Unavailable'),
      }),
      graph(columns, {
        title: 'HTTP: answers, and milliseconds for 99 %',
        of: [
          http.api.metricCount({ period, statistic: 'Sum', label: 'all' }),
          http.api.metricClientError({ period, statistic: 'Sum', label: '4xx' }),
          http.api.metricServerError({ period, statistic: 'Sum', label: '5xx' }),
        ],
        right: [http.api.metricLatency({ period, statistic: 'p99', label: 'p99 ms' })],
      }),
    ],
  }
}

export function queues({ queues: all }: Watched): Row {
  const columns = 3
  const { record, subscribers, deadLetters, orderedDeadLetters, busDeadLetters } = all
  const live = [record, ...subscribers.map(({ queue }) => queue)]
  return {
    title: 'Queues: what waits',
    good: 'the oldest message is seconds old, what waits goes down again, and there are no letters.',
    runbook: ['oldest-message', 'backlog', 'letters-waiting'],
    graphs: [
      graph(columns, {
        title: 'Oldest message, seconds',
        of: live.map(({ name, queue }) =>
          queue.metricApproximateAgeOfOldestMessage({ period, statistic: 'Maximum', label: name }),
        ),
        limit: 600,
      }),
      graph(columns, {
        title: 'Messages waiting',
        of: live.map(({ name, queue }) =>
          queue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum', label: name }),
        ),
      }),
      graph(columns, {
        title: 'Letters that nobody could handle and nobody has marked yet',
        of: [deadLetters, orderedDeadLetters, busDeadLetters].map(({ queue }) =>
          queue.metricApproximateNumberOfMessagesVisible({
            period,
            statistic: 'Maximum',
            label: queue.queueName,
          }),
        ),
      }),
    ],
  }
}

export function handlers(watched: Watched): Row {
  const columns = 3
  return {
    title: 'Out: what subscribers did',
    good: 'what is handled follows what is recorded; failures are single, and are handled at the next attempt.',
    runbook: ['failing-handler', 'circuit-open', 'dead-letters'],
    graphs: [
      graph(columns, { title: 'Handled a minute', of: bySubscriber(watched, 'Handled', 'Sum') }),
      graph(columns, { title: 'Failed a minute', of: bySubscriber(watched, 'Failed', 'Sum'), limit: 10 }),
      graph(columns, { title: 'Died a minute', of: bySubscriber(watched, 'Dead', 'Sum') }),
      graph(columns, {
        title: 'Tried again, until done',
        of: bySubscriber(watched, 'OpenRetrying', 'Maximum'),
      }),
      graph(columns, { title: 'Parked a minute', of: bySubscriber(watched, 'Parked', 'Sum') }),
      graph(columns, {
        title: 'Open circuits: what is needed does not answer',
        of: bySubscriber(watched, 'OpenCircuits', 'Maximum'),
      }),
      graph(2, {
        title: 'Oldest that is retrying, parked or dead: minutes since it last changed',
        of: bySubscriber(watched, 'OldestMinutes', 'Maximum'),
      }),
      graph(2, {
        title: 'Lost to others that changed the same: no failures, tried again',
        of: bySubscriber(watched, 'Contended', 'Sum'),
      }),
    ],
  }
}
