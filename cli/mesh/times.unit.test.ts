import { expect, it } from 'vitest'
import { metricTimes } from '../../adapters/aws/metric-times.ts'
import { ours, replyBy, seen } from '../../test/aws-server.ts'
import { timeOf } from './times.ts'

const report = (ms: number) => `REPORT RequestId: r\tDuration: ${ms} ms\tBilled Duration: ${ms} ms\n`

it('a log says how long invocations took, and how many messages they had', () => {
  const line = { DurationMs: 3, Handled: 4, Failed: 1, Already: 0, Dead: 0 }
  expect(timeOf([report(10), JSON.stringify(line), report(30), 'START RequestId: r', '{"cut off'])).toEqual({
    ...{ mean: 20, scv: 0.25, batch: 5, count: 2 },
  })
  expect(timeOf([report(7)])).toEqual({ mean: 7, scv: 0, batch: undefined, count: 1 })
  expect(timeOf(['START RequestId: r'])).toBeUndefined()
})

const answer = (...members: string[]) =>
  `<GetMetricStatisticsResponse><GetMetricStatisticsResult><Datapoints>${members
    .map((member) => `<member>${member}</member>`)
    .join('')}</Datapoints></GetMetricStatisticsResult></GetMetricStatisticsResponse>`

it('CloudWatch says it by the metrics of functions and queues', async () => {
  replyBy(({ body }) => {
    const asked = new URLSearchParams(body.toString())
    const name = asked.get('Dimensions.member.1.Value')
    const extended = asked.get('ExtendedStatistics.member.1')
    const entry = (key: string, value: number) => `<entry><key>${key}</key><value>${value}</value></entry>`
    if (name === 'fn-b') return { status: 200, body: answer() }
    if (asked.get('MetricName') === 'NumberOfMessagesReceived')
      return { status: 200, body: answer('<Sum>200.0</Sum>', '<Sum>100.0</Sum>') }
    return {
      status: 200,
      body:
        extended === 'p50'
          ? answer(`<ExtendedStatistics>${entry('p50', 10)}${entry('p90', 36.02)}</ExtendedStatistics>`)
          : answer(
              '<Average>10</Average><SampleCount>30</SampleCount>',
              '<Average>20</Average><SampleCount>10</SampleCount>',
            ),
    }
  })
  const window = { since: '2026-01-01T00:00:00.000Z', until: '2026-01-01T01:30:00.000Z' }
  const { of, notes } = await metricTimes(ours(), { a: 'fn-a', b: 'fn-b' }, 'loadpath-x-', window)
  // a lognormal whose 90th percentile is 3.602 times its median has sigma 1
  expect(of.get('a')).toEqual({ mean: 12.5, scv: expect.closeTo(Math.E - 1, 3), batch: 7.5, count: 40 })
  expect([...of.keys()]).toEqual(['a'])
  expect(notes).toContain('b did not run.')
  const [first] = seen.map(({ body }) => Object.fromEntries(new URLSearchParams(body.toString())))
  expect(first).toMatchObject({
    ...{ Action: 'GetMetricStatistics', Namespace: 'AWS/Lambda', MetricName: 'Duration', Period: '7200' },
    ...{ StartTime: window.since, EndTime: window.until },
  })
  expect(
    seen.map(({ body }) => new URLSearchParams(body.toString()).get('Dimensions.member.1.Value')),
  ).toEqual(['fn-a', 'fn-a', 'loadpath-x-a', 'fn-b'])
})
