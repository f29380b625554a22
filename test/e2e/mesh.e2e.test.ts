import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { expect, it } from 'vitest'
import { s3Bodies } from '../../adapters/aws/bodies.ts'
import { cloudFormation } from '../../adapters/aws/stacks.ts'
import { idempotencyKey } from '../../core/identity.ts'
import { comprehensiveReport } from '../../mesh/comprehensive/report.ts'
import { updateStack } from '../endpoint/stack.ts'
import { commandLine, subscription } from './operator.ts'
import { deployedStage, eventually } from './stage.ts'

/** What is deployed is analysed as it is deployed, and told once for each week. */

const stage = deployedStage()
const { said } = commandLine(stage)
const bodies = s3Bodies({ aws: stage.aws, bucket: stage.config.bucket })

const events = async () => {
  const { body } = await stage.call('GET', '/v1/events?type=mesh.validated&limit=50')
  const all = await Promise.all(
    body.items.map(({ source, id }: { source: string; id: string }) =>
      stage.history.fate({ project: 'main', source, id }),
    ),
  )
  return all.flatMap(({ stored }) => (stored === undefined ? [] : [stored.event]))
}
const toldOf = async () => (await events()).map(({ data }) => data)

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

it('notifies once of a new finding of high severity, and neither before nor when it is mended', async () => {
  const name = 'Loadpath-test-State'
  const template = Object(await cloudFormation(stage).template(name))
  const notified = await subscription(stage)
  try {
    const before = await said('mesh', 'validate')
    await updateStack(stage.endpoint, name, {
      ...template,
      Resources: { ...template.Resources, ...givesUp },
    })
    const worse = await said('mesh', 'validate').finally(() => updateStack(stage.endpoint, name, template))
    const mended = await said('mesh', 'validate')
    expect(worse.worse).toContain('1 new finding of high severity')
    const found = [
      { rule: 'delivery-without-dlq', severity: 'high' },
      { rule: 'queue-without-consumer', severity: 'medium' },
      // nobody says how much of what comes is from there
      { rule: 'dominator-without-alarm', severity: 'low' },
    ]
    expect(worse.changes.appeared.items).toMatchObject(found)
    expect(mended.changes.gone.items).toMatchObject(found)

    const [calm, told, calmAgain] = await Promise.all([before, worse, mended].map(({ run }) => keyOf(run)))
    await notified.once([told ?? ''])
    expect(await notified.times([calm ?? '', calmAgain ?? ''])).toEqual([0, 0])
  } finally {
    await notified.end()
  }
})

/** A rule that keeps nowhere what it cannot deliver. */
const givesUp = {
  Unheard: { Type: 'AWS::SQS::Queue' },
  Forgetful: {
    Type: 'AWS::Events::Rule',
    Properties: {
      EventPattern: { source: ['nobody'] },
      Targets: [{ Id: 'unheard', Arn: { 'Fn::GetAtt': ['Unheard', 'Arn'] } }],
    },
  },
}

/** What the notification of a validation is known by outside, once all is done that its event expects. */
const keyOf = (run: string) =>
  eventually(async () => {
    const event = (await events()).find(({ data }) => Object(data).run === run)
    if (event === undefined) throw new Error(`nothing was told of ${run}`)
    const identity = { project: 'main', source: event.source, id: event.id }
    await stage.settled(identity)
    return idempotencyKey(identity, 'notify', '')
  })
