import {
  CloudWatchLogsClient,
  paginateFilterLogEvents,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs'
import * as z from 'zod'
import { type Aws, connect } from '../../adapters/aws/clients.ts'
import type { StageConfig } from '../../adapters/stage-config.ts'
import { asking, awsSettings } from '../aws.ts'
import type { Stage } from '../stage.ts'
import type { Time, Times } from './rates-file.ts'

type Window = { since: string; until: string }

/** So many pages of a log are read; the beginning of a window stands for it. */
const mostPages = 40

/** How long invocations took by what Lambda reports of each, and how many messages they had by their own line. */
export async function timesByLogs(stage: Stage, { functions }: StageConfig, window: Window): Promise<Times> {
  const client = new CloudWatchLogsClient(await awsSettings(stage))
  const notes: string[] = []
  const of = new Map<string, Time>()
  const read = async ([name, functionName]: [string, string]) => {
    const { messages, isWhole } = await logOf(client, functionName, window)
    const time = timeOf(messages)
    if (time === undefined) notes.push(`${name} did not run.`)
    else of.set(name, time)
    if (!isWhole) notes.push(`${name}: of its log only the first ${messages.length} lines were read.`)
  }
  await asking(stage, () => Promise.all(Object.entries(functions).toSorted().map(read)))
  return { of: new Map([...of].toSorted()), from: 'the logs of functions', notes: notes.toSorted() }
}

async function logOf(client: CloudWatchLogsClient, functionName: string, { since, until }: Window) {
  const messages: string[] = []
  const [startTime, endTime] = [Date.parse(since), Date.parse(until)]
  let pages = 0
  try {
    const asked = { logGroupName: `/aws/lambda/${functionName}`, startTime, endTime }
    for await (const { events = [] } of paginateFilterLogEvents({ client }, asked)) {
      messages.push(...events.map(({ message = '' }) => message))
      if (++pages === mostPages) return { messages, isWhole: false }
    }
  } catch (error) {
    // a function that never ran has no log group yet
    if (!(error instanceof ResourceNotFoundException)) throw error
  }
  return { messages, isWhole: true }
}

const counts = z.looseObject({ DurationMs: z.number() })
/** What the lines of handlers and of the gate count each message as. */
const outcomes = [
  ...['Handled', 'Already', 'Failed', 'Dead', 'Parked', 'Held'],
  ...['Recorded', 'Known', 'Refused', 'Quarantined', 'Unavailable', 'Letters'],
]

/** undefined: it did not run. */
export function timeOf(messages: readonly string[]): Time | undefined {
  const durations = messages.flatMap((message) => {
    const [, duration] = /^REPORT .*?\tDuration: ([\d.]+) ms/.exec(message) ?? []
    return duration === undefined ? [] : [Number(duration)]
  })
  if (durations.length === 0) return undefined
  const mean = durations.reduce((sum, one) => sum + one, 0) / durations.length
  const variance = durations.reduce((sum, one) => sum + (one - mean) ** 2, 0) / durations.length
  const batches = messages.flatMap((message) => batchIn(message))
  const batch = batches.length === 0 ? undefined : batches.reduce((sum, one) => sum + one, 0) / batches.length
  return { mean, scv: mean === 0 ? 0 : variance / mean ** 2, batch, count: durations.length }
}

function batchIn(message: string): number[] {
  if (!message.startsWith('{')) return []
  const line = counts.safeParse(parsed(message)).data
  if (line === undefined) return []
  const told = outcomes.flatMap((name) => (typeof line[name] === 'number' ? [line[name]] : []))
  return told.length === 0 ? [] : [told.reduce((sum, one) => sum + one, 0)]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // a line that was cut off
    return undefined
  }
}

/** The same by CloudWatch's metrics: two calls for each function and one for each queue. */
export async function timesByMetrics(
  stage: Stage,
  { functions, queuePrefix }: StageConfig,
  window: Window,
  region: string,
): Promise<Times> {
  const { credentials, endpoint } = new CloudWatchLogsClient(await awsSettings(stage)).config
  const address = await endpoint?.()
  const aws = connect({
    region,
    credentials: () => credentials(),
    ...(address && { endpoint: `${address.protocol}//${address.hostname}:${address.port ?? 80}` }),
  })
  const prefix = queuePrefix.split('/').at(-1) ?? ''
  return asking(stage, () => metricTimes(aws, functions, prefix, window))
}

/** `prefix`: what the names of queues begin with. */
export async function metricTimes(
  aws: Aws,
  functions: Readonly<Record<string, string>>,
  prefix: string,
  window: Window,
): Promise<Times> {
  const of = new Map<string, Time>()
  const notes: string[] = []
  for (const [name, functionName] of Object.entries(functions).toSorted()) {
    const lambda = {
      namespace: 'AWS/Lambda',
      metric: 'Duration',
      dimension: 'FunctionName',
      value: functionName,
    }
    const [known] = weighted(await metric(aws, lambda, window, ['Average', 'SampleCount']))
    if (known === undefined || known.weight === 0) {
      notes.push(`${name} did not run.`)
      continue
    }
    const spread = weighted(await metric(aws, lambda, window, ['p50', 'p90']))[0]
    const received = await metric(
      aws,
      {
        namespace: 'AWS/SQS',
        metric: 'NumberOfMessagesReceived',
        dimension: 'QueueName',
        value: `${prefix}${name}`,
      },
      window,
      ['Sum'],
    )
    const messages = received.reduce((sum, { Sum = 0 }) => sum + Sum, 0)
    of.set(name, {
      mean: known.mean,
      scv: spread === undefined ? 1 : scvOf(spread),
      batch: messages === 0 ? undefined : Math.max(1, messages / known.weight),
      count: known.weight,
    })
  }
  notes.push('Variation is that of the lognormal with the median and 90th percentile of the metrics.')
  return { of, from: 'the metrics of functions and queues', notes }
}

type Point = Readonly<Record<string, number>>

/** Points of several periods as one, by how much each stands on. */
function weighted(points: readonly Point[]) {
  const weight = points.reduce((sum, { SampleCount = 1 }) => sum + SampleCount, 0)
  const over = (name: string) =>
    points.reduce((sum, point) => sum + (point[name] ?? 0) * (point.SampleCount ?? 1), 0) / weight
  return points.length === 0 ? [] : [{ weight, mean: over('Average'), p50: over('p50'), p90: over('p90') }]
}

/** The 90th percentile of a standard normal. */
const z90 = 1.281_551_566

const scvOf = ({ p50, p90 }: { p50: number; p90: number }): number =>
  p50 <= 0 ? 1 : Math.exp((Math.log(Math.max(p90, p50) / p50) / z90) ** 2) - 1

type Metric = { namespace: string; metric: string; dimension: string; value: string }

async function metric(
  aws: Aws,
  { namespace, metric: name, dimension, value }: Metric,
  { since, until }: Window,
  statistics: readonly string[],
): Promise<Point[]> {
  const seconds = (Date.parse(until) - Date.parse(since)) / 1000
  const kind = /^p\d/.test(statistics[0] ?? '') ? 'ExtendedStatistics' : 'Statistics'
  const answer = await aws.form('monitoring', {
    ...{ Action: 'GetMetricStatistics', Version: '2010-08-01', Namespace: namespace, MetricName: name },
    ...{ 'Dimensions.member.1.Name': dimension, 'Dimensions.member.1.Value': value },
    ...{ StartTime: since, EndTime: until, Period: String(Math.max(1, Math.ceil(seconds / 3600)) * 3600) },
    ...Object.fromEntries(statistics.map((one, index) => [`${kind}.member.${index + 1}`, one])),
  })
  const points = /<Datapoints>(.*)<\/Datapoints>/s.exec(answer)?.[1] ?? ''
  return [...points.matchAll(/<member>(.*?)<\/member>/gs)].map(([, point = '']) => numbersIn(point))
}

function numbersIn(point: string): Point {
  const plain = [...point.matchAll(/<(Average|SampleCount|Sum)>([^<]*)</g)]
  const extended = [...point.matchAll(/<key>([^<]*)<\/key>\s*<value>([^<]*)</g)]
  return Object.fromEntries([...plain, ...extended].map(([, name = '', value]) => [name, Number(value)]))
}
