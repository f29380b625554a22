import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { outboxFrame } from '../../core/frame.ts'
import { controlOf, controlRecord } from '../../core/hold/control.ts'
import { subscriberControls } from '../../core/hold/subscriber-controls.ts'
import { jobOf, jobRecord } from '../../core/job/job.ts'
import { createTable } from '../../test/aws-resources.ts'
import { minute } from '../contract/samples.ts'
import { connect } from './clients.ts'
import { dynamoEphemeral } from './ephemeral.ts'
import { dynamoMemory } from './memory.ts'

const aws = connect()
const project = 'main'
let tables: { memory: string; ephemeral: string }
beforeAll(async () => {
  tables = { memory: await createTable(aws, 'memory'), ephemeral: await createTable(aws, 'ephemeral') }
})

test('many processes agree on one circuit, through the tables alone', async () => {
  let now = minute(0)
  const clock = () => now
  const memory = dynamoMemory({ aws, table: tables.memory, clock })
  const ephemeral = dynamoEphemeral({ aws, table: tables.ephemeral, clock })
  const subscriber = 'tell'
  const unwritten: unknown[] = []
  const newId = () => randomUUID()
  const onFailure = (error: unknown) => void unwritten.push(error)
  const processes = Array.from({ length: 8 }, () =>
    subscriberControls({ memory, ephemeral, clock, newId, subscriber, onFailure }),
  )
  const each = <T>(ask: (one: (typeof processes)[number], n: number) => Promise<T>) =>
    Promise.all(processes.map(ask))
  const failed = (n: number) => ({
    key: { project, source: 's', id: `e${n}`, subscriber, replay: '' },
    error: new Error(`no answer to e${n}`),
  })
  const told = async () =>
    (await memory.outbox(project, `circuit/${subscriber}/`)).map(
      ({ frame }) => outboxFrame.parse(frame).event,
    )

  await each((one) => one.mayRun(project, ''))
  for (const round of [0, 1])
    await each((one, n) =>
      one.report(project, '', { succeeded: 0, failed: [failed(round * 10 + n)], probed: false }),
    )
  expect(unwritten).toEqual([])
  expect(await told()).toMatchObject([{ type: 'circuit.opened', data: { subscriber, downstream: '' } }])

  now = new Date(Date.parse(now) + 30_000).toISOString()
  const asked = await each((one) => one.mayRun(project, ''))
  expect(asked.filter(({ run }) => run)).toEqual([{ run: true, probe: true }])

  await each((one, n) =>
    one.report(project, '', { succeeded: 1, failed: [], probed: asked[n]?.run === true }),
  )
  const kept = controlOf(await memory.get(controlRecord(project, subscriber)))
  expect(kept).toEqual({ circuits: [], closed: [{ downstream: '', at: now, probes: 1 }] })
  const [, closed] = await told()
  expect(closed).toMatchObject({ type: 'circuit.closed', data: { because: 'a probe succeeded' } })
  const { job } = Object(closed?.data)
  expect(jobOf(await memory.get(jobRecord(project, job)))).toMatchObject({ kind: 'redrive', rate: 50 })
  expect(await memory.outbox(project, `job/${job}`)).toHaveLength(1)
})
