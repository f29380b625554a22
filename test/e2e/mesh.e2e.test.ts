import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { expect, it } from 'vitest'
import { s3Bodies } from '../../adapters/aws/bodies.ts'
import { comprehensiveReport } from '../../mesh/comprehensive/report.ts'
import { commandLine } from './operator.ts'
import { deployedStage, eventually } from './stage.ts'

/** What is deployed is analysed as it is deployed, and told once for each week. */

const stage = deployedStage()
const { said } = commandLine(stage)
const bodies = s3Bodies({ aws: stage.aws, bucket: stage.config.bucket })

const toldOf = async () => {
  const { body } = await stage.call('GET', '/v1/events?type=mesh.validated&limit=50')
  const all = await Promise.all(
    body.items.map(({ source, id }: { source: string; id: string }) =>
      stage.history.fate({ project: 'main', source, id }),
    ),
  )
  return all.flatMap(({ stored }) => (stored === undefined ? [] : [stored.event.data]))
}

/** As the schedule starts it. */
async function scheduled(time: string) {
  const client = new LambdaClient({ endpoint: stage.endpoint })
  const { Payload, FunctionError } = await client.send(
    new InvokeCommand({
      FunctionName: stage.config.functions['validate-mesh'],
      Payload: JSON.stringify({ source: 'aws.events', 'detail-type': 'Scheduled Event', time }),
    }),
  )
  expect(FunctionError).toBeUndefined()
  return JSON.parse(Payload?.transformToString() ?? '')
}

it('is told by an event with its trend, and kept as a report', async () => {
  const first = await said('mesh', 'validate')
  expect(first.stacks).toEqual(['Loadpath-test-App', 'Loadpath-test-State'])
  // it is an event like others, and counts as load for the next one
  await eventually(async () => expect(await toldOf()).toContainEqual(first))
  const second = await said('mesh', 'validate')
  expect(second.run).not.toBe(first.run)
  expect(second).toMatchObject({
    changes: { appeared: { left: 0 }, gone: { left: 0 } },
    trend: { last: expect.any(String), system_health: first.system_health },
  })
  expect(second.notes).toContainEqual(expect.stringMatching(/^\d+ events? of 168 hours since /))
  const report = comprehensiveReport.parse(
    JSON.parse(Buffer.from((await bodies.get(`${second.report}.json`)) ?? '').toString()),
  )
  expect(report.mesh.nodes).toBeGreaterThan(50)
  expect(report.gaps).toEqual([])
  for (const [kind, begins] of [
    ['html', '<!doctype html>'],
    ['md', '## Mesh: '],
  ]) {
    const text = Buffer.from((await bodies.get(`${second.report}.${kind}`)) ?? '').toString()
    expect(text.toLowerCase().startsWith(String(begins).toLowerCase())).toBe(true)
  }
  await eventually(async () => expect(await toldOf()).toContainEqual(second))
})

it('is told once for a week, however often that is started', async () => {
  const time = '2031-02-03T04:17:00Z'
  const [one, other] = [await scheduled(time), await scheduled(time)]
  expect([one.told, other.told]).toEqual([true, false])
  expect(other.data).toEqual(one.data)
  await eventually(async () => expect(await toldOf()).toContainEqual(one.data))
  const again = await scheduled('2031-02-10T04:17:00Z')
  await eventually(async () => expect(await toldOf()).toContainEqual(again.data))
  const weeks = (await toldOf()).filter((data) => /^2031/.test(Object(data).run))
  expect(weeks.map((data) => Object(data).run).sort()).toEqual(['2031-W06', '2031-W07'])
})
