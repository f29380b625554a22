import { expect, it } from 'vitest'
import { metricTimes } from '../../adapters/aws/metric-times.ts'
import { ours, replyBy, seen } from '../../test/aws-server.ts'
import { timeOf } from './times.ts'

const report = (ms: number, id = 'r', init = '') =>
  `REPORT RequestId: ${id}\tDuration: ${ms} ms\tBilled Duration: ${ms} ms${init}\n`
const line = (requestId: string, counts: object) => JSON.stringify({ requestId, DurationMs: 3, ...counts })

it('a log says how long invocations took, and how many messages they had', () => {
  const counted = line('a', { Handled: 4, Failed: 1, Already: 0, Dead: 0 })
  expect(timeOf([report(10, 'a'), counted, report(30), 'START RequestId: r', '{"cut off'])).toMatchObject({
    ...{
      mean: 20,
      scv: 0.25,
      batch: 5,
      each: undefined,
      count: 2,
      begun: { count: 0, ms: 0 },
      note: undefined,
    },
  })
  expect(timeOf([report(7)])).toMatchObject({ mean: 7, scv: 0, batch: undefined, count: 1 })
  expect(timeOf(['START RequestId: r'])).toBeUndefined()
})

it('an invocation that began an environment is in no mean, if there are others', () => {
  const init = '\tMemory Size: 512 MB\tInit Duration: 900.00 ms'
  const began = [report(300, 'b', init), line('b', { Handled: 9 })]
  expect(timeOf([report(20, 'a'), line('a', { Handled: 1 }), ...began])).toMatchObject({
    ...{ mean: 20, batch: 1, count: 2, begun: { count: 1, ms: 1200 } },
    note: '1 of 2 invocations began an environment and took 1200 ms with it; they are in no mean.',
  })
  expect(timeOf(began)).toMatchObject({ mean: 300, batch: 9, count: 1, begun: { count: 1, ms: 1200 } })
})

it('the line through all invocations says what each message takes of one', () => {
  const all = Array.from({ length: 40 }, (_, place) => {
    const id = `i${place}`
    const messages = 1 + (place % 4)
    return [report(30 + 5 * messages + (place % 3) - 1, id), line(id, { Handled: messages })]
  })
  expect(timeOf(all.flat())?.each).toBeCloseTo(5, 0)
  const alike = all.map(([took = '']) => [took, line(took.slice(18, took.indexOf('\t')), { Handled: 2 })])
  expect(timeOf(alike.flat())).toMatchObject({ batch: 2, each: undefined })
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
  expect(of.get('a')).toEqual({
    ...{ mean: 12.5, scv: expect.closeTo(Math.E - 1, 3), batch: 7.5, count: 40 },
    each: undefined,
  })
  expect([...of.keys()]).toEqual(['a'])
  expect(notes).toContain('b did not run.')
  const [first] = seen.map(({ body }) => Object.fromEntries(new URLSearchParams(body.toString())))
  expect(first).toMatchObject({
    ...{ Action: 'GetMetricStatistics', Namespace: 'AWS/Lambda', MetricName: 'Duration', Period: '3600' },
    ...{ StartTime: window.since, EndTime: window.until },
  })
  expect(
    seen.map(({ body }) => new URLSearchParams(body.toString()).get('Dimensions.member.1.Value')),
  ).toEqual(['fn-a', 'fn-a', 'loadpath-x-a', 'fn-b'])
})

it('CloudWatch says by the hours what each message takes', async () => {
  const hour = (place: number, entries: Readonly<Record<string, number>>) =>
    `<Timestamp>2026-01-01T0${place}:00:00Z</Timestamp>${Object.entries(entries)
      .map(([name, value]) => `<${name}>${value}</${name}>`)
      .join('')}`
  // 100 invocations an hour with 1, 2 and 4 messages: 20 ms and 5 for each
  const batches = [1, 2, 4]
  replyBy(({ body }) => {
    const asked = new URLSearchParams(body.toString())
    const received = asked.get('MetricName') === 'NumberOfMessagesReceived'
    const hours = batches.map((batch, place) =>
      hour(place, received ? { Sum: 100 * batch } : { Average: 20 + 5 * batch, SampleCount: 100 }),
    )
    // in no order
    return {
      status: 200,
      body: asked.get('ExtendedStatistics.member.1') ? answer() : answer(...hours.reverse()),
    }
  })
  const window = { since: '2026-01-01T00:00:00.000Z', until: '2026-01-01T03:00:00.000Z' }
  const { of } = await metricTimes(ours(), { a: 'fn-a' }, 'loadpath-x-', window)
  expect(of.get('a')).toMatchObject({
    each: expect.closeTo(5, 9),
    batch: expect.closeTo(7 / 3, 9),
    count: 300,
  })
})
