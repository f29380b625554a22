import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { commandLine } from './operator.ts'
import { deliveryTo, deployedStage, eventually } from './stage.ts'

const stage = deployedStage()
const { loadpath, said } = commandLine(stage)

/** What the command line lists of these: all of them, or none yet. */
const waiting = (ids: readonly string[]) =>
  eventually(async () => {
    const { items } = await said('quarantine', 'list', '--all', '--type', 'test.completed')
    const found = items.filter(({ id }: { id: string }) => ids.includes(id))
    expect(found).toHaveLength(ids.length)
    return found
  })

it('an invalid event is kept, mended at the command line, recorded and handled, once', async () => {
  const repository = `octo/${randomUUID().slice(0, 8)}`
  const source = 'https://ci.example.com'
  const good = { repository, branch: 'main', commit: 'abc', suite: 'unit', passed: 3, failed: 0, skipped: 0 }
  const event = (data: object) => ({
    ...{ specversion: '1.0', id: randomUUID(), source, type: 'test.completed' },
    data,
  })
  const [first, second] = [event({ ...good, passed: 'three' }), event({ ...good, failed: -1 })]
  await stage.putEvents([first, second].map((detail) => ({ source: 'ci', type: 'test.completed', detail })))
  const entries = await waiting([first.id, second.id])
  const digestOf = ({ id }: { id: string }) => entries.find((entry: { id: string }) => entry.id === id).digest
  expect((await loadpath('quarantine', 'list')).out).toMatch(/invalid +test\.completed +data\.passed/)
  const digest = digestOf(first).slice(0, 12)
  expect((await loadpath('quarantine', 'show', digest)).out).toContain('data.passed')

  expect(await loadpath('quarantine', 'redrive', digest)).toMatchObject({ code: 1 })
  const data = JSON.stringify(good)
  expect(await said('quarantine', 'edit', digest, '--data', data, '--dry-run')).toMatchObject({
    outcome: 'recorded',
  })
  const identity = { project: 'main', source, id: first.id }
  expect((await stage.history.fate(identity)).stored).toBeUndefined()
  expect(await said('quarantine', 'edit', digest, '--data', data)).toMatchObject({
    outcome: 'recorded',
    event: { source, id: first.id, type: 'test.completed' },
  })
  const fate = await stage.settled(identity)
  expect(fate.stored).toMatchObject({ expects: ['track-build'], event: { door: 'bus', data: good } })
  expect(deliveryTo(fate, 'track-build')).toMatchObject({ state: 'done', attempts: 1 })
  expect((await said('builds', repository)).items).toMatchObject([{ branch: 'main', status: 'passing' }])

  const whole = digestOf(first)
  expect(await said('quarantine', 'redrive', whole)).toMatchObject({
    outcome: 'already',
    settled: { state: 'recorded', by: expect.stringMatching(/^user:/) },
  })
  expect((await stage.history.fate(identity)).deliveries).toEqual(fate.deliveries)

  const dropped = await said(
    'quarantine',
    'drop',
    digestOf(second).slice(0, 12),
    '--because',
    'a test',
    '--yes',
  )
  expect(dropped.items).toMatchObject([{ outcome: 'dropped' }])
  expect(await loadpath('quarantine', 'redrive', digestOf(second))).toMatchObject({
    code: 1,
    out: expect.stringContaining('was settled before: dropped by'),
  })
  expect((await stage.history.fate({ ...identity, id: second.id })).stored).toBeUndefined()

  const told = async (type: string, its: string) => {
    const { body } = await stage.call('GET', `/v1/events?type=${type}&limit=20`)
    const events = await Promise.all(
      body.items.map(({ id }: { id: string }) => stage.call('GET', `/v1/events/${id}`)),
    )
    return events.map((answer) => answer.body.event).filter(({ data: { digest: of } }) => of === its)
  }
  await eventually(async () => {
    expect(await told('quarantine.released', whole)).toMatchObject([
      {
        actor: expect.stringMatching(/^user:/),
        data: { changes: [{ before: 'three', after: 3 }], recorded: { id: first.id } },
      },
    ])
    expect(await told('quarantine.dropped', digestOf(second))).toMatchObject([{ data: { note: 'a test' } }])
  })
})
