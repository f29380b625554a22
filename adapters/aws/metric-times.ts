import type { Time, Times } from '../../core/mesh/rates.ts'
import { eachOf, type Timed } from '../../core/mesh/service-time.ts'
import type { Aws } from './clients.ts'

type Window = { since: string; until: string }

/** How long functions took by CloudWatch's metrics, by our names of them. `prefix`: what the names of queues begin with. */
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
    const hours = await metric(aws, lambda, window, ['Average', 'SampleCount'])
    const [known] = weighted(hours)
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
      each: eachOf(timed(hours, received)),
      count: known.weight,
    })
  }
  notes.push('Variation is that of the lognormal with the median and 90th percentile of the metrics.')
  return { of, from: 'the metrics of functions and queues', notes }
}

type Point = Readonly<Record<string, number>>

/** Each hour by its mean batch: what came by the queue in it, over its invocations. */
function timed(hours: readonly Point[], received: readonly Point[]): Timed[] {
  const came = new Map(received.map(({ at = 0, Sum = 0 }) => [at, Sum]))
  return hours.flatMap(({ at = 0, Average: ms = 0, SampleCount: count = 0 }) => {
    const messages = (came.get(at) ?? 0) / count
    return messages >= 1 ? [{ messages, ms, count }] : []
  })
}

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
  const hours = Math.max(1, Math.ceil((Date.parse(until) - Date.parse(since)) / 3_600_000))
  const ofAll = /^p\d/.test(statistics[0] ?? '')
  // percentiles of several hours are none of all; of the others so many hours that it answers them, 1,440 points at most
  const period = 3600 * (ofAll ? hours : Math.ceil(hours / 1440))
  const kind = ofAll ? 'ExtendedStatistics' : 'Statistics'
  const answer = await aws.form('monitoring', {
    ...{ Action: 'GetMetricStatistics', Version: '2010-08-01', Namespace: namespace, MetricName: name },
    ...{ 'Dimensions.member.1.Name': dimension, 'Dimensions.member.1.Value': value },
    ...{ StartTime: since, EndTime: until, Period: String(period) },
    ...Object.fromEntries(statistics.map((one, index) => [`${kind}.member.${index + 1}`, one])),
  })
  const points = /<Datapoints>(.*)<\/Datapoints>/s.exec(answer)?.[1] ?? ''
  return [...points.matchAll(/<member>(.*?)<\/member>/gs)].map(([, point = '']) => numbersIn(point))
}

function numbersIn(point: string): Point {
  const at = Date.parse(/<Timestamp>([^<]*)</.exec(point)?.[1] ?? '')
  const plain = [...point.matchAll(/<(Average|SampleCount|Sum)>([^<]*)</g)]
  const extended = [...point.matchAll(/<key>([^<]*)<\/key>\s*<value>([^<]*)</g)]
  return {
    at,
    ...Object.fromEntries([...plain, ...extended].map(([, name = '', value]) => [name, Number(value)])),
  }
}
