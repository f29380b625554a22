import { beforeEach, describe, expect, it } from 'vitest'
import { inMemoryBodies } from '../../adapters/in-memory/bodies.ts'
import { inMemoryMemory } from '../../adapters/in-memory/memory.ts'
import { inMemoryStacks } from '../../adapters/in-memory/stacks.ts'
import { meshValidated } from '../../events/mesh.validated.ts'
import { comprehensiveReport } from '../../mesh/comprehensive/report.ts'
import { noLoads, parseLoads } from '../../mesh/loads.ts'
import { emittedId } from '../event/admit.ts'
import { outboxFrame } from '../frame.ts'
import { ago, day } from '../time.ts'
import { type ValidateDeps, validateMesh, weekOf } from './validate.ts'

/** A queue and what works on it; `keeps`: what fails goes to a place of its own; `accepted`: that it does not may stay. */
const template = ({ keeps, accepted = false }: { keeps: boolean; accepted?: boolean }) => ({
  Resources: {
    Dead: { Type: 'AWS::SQS::Queue', Properties: { MessageRetentionPeriod: 1_209_600 } },
    // without it the place itself would be a finding
    Watch: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        MetricName: 'ApproximateNumberOfMessagesVisible',
        Namespace: 'AWS/SQS',
        AlarmActions: ['arn:aws:sns:eu-west-1:111111111111:told'],
        Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': ['Dead', 'QueueName'] } }],
      },
    },
    Orders: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        VisibilityTimeout: 120,
        ...(keeps && {
          RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 5 },
        }),
      },
      ...(accepted && {
        Metadata: { mesh: { accepted: [{ rule: 'no-redrive', because: 'they come again tomorrow' }] } },
      }),
    },
    Worker: { Type: 'AWS::Lambda::Function', Properties: { Timeout: 10 } },
    Poll: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: { 'Fn::GetAtt': ['Orders', 'Arn'] },
        FunctionName: { Ref: 'Worker' },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      },
    },
  },
})

let now = ''
const clock = () => now
const advance = (milliseconds: number) => {
  now = ago(now, -milliseconds)
}
const structure = { stacks: ['shop'], region: 'eu-central-1' }

function world() {
  const [memory, bodies, stacks] = [inMemoryMemory({ clock }), inMemoryBodies(), inMemoryStacks()]
  stacks.deploy('shop', template({ keeps: true }))
  const rates = {
    version: 1,
    arrivals: { Orders: { 'order.placed': '2/s' } },
    service: { Worker: { mean: '40ms' } },
  }
  const measured: string[] = []
  const deps: ValidateDeps = {
    ...{ memory, bodies, stacks, clock },
    measure: async (mesh, since) => {
      measured.push(since)
      return { loads: parseLoads('what was measured', rates, mesh), unknown: [] }
    },
  }
  return {
    ...{ memory, bodies, stacks, deps, measured },
    validate: (run: string, other: Partial<ValidateDeps> = {}) =>
      validateMesh(run, structure, { ...deps, ...other }),
    told: () =>
      memory.all().outbox.map(({ frame }) => {
        const parsed = outboxFrame.parse(frame)
        return { id: emittedId(parsed), project: parsed.project, ...parsed.event }
      }),
    report: async (key: string) =>
      comprehensiveReport.parse(JSON.parse(Buffer.from((await bodies.get(key)) ?? '').toString())),
  }
}

let w: ReturnType<typeof world>
beforeEach(() => {
  now = '2026-11-16T04:17:03.000Z'
  w = world()
})

describe('a validation', () => {
  it('tells the score of what is deployed under the load of the last seven days, and keeps the report', async () => {
    const { told, data } = await w.validate('2026-W47')
    expect(told).toBe(true)
    expect(w.measured).toEqual(['2026-11-09T04:17:03.000Z'])
    expect(data).toMatchObject({
      ...{ run: '2026-W47', stacks: ['shop'], trend: null, report: 'audit/main/mesh/2026-W47' },
      score: expect.any(Number),
    })
    const [event] = w.told()
    expect(event).toMatchObject({ project: 'main', type: 'mesh.validated', data })
    expect(meshValidated.schema.parse(event?.data)).toEqual(data)
    const report = await w.report('audit/main/mesh/2026-W47.json')
    expect(report.score.score).toBeCloseTo(data.score ?? Number.NaN, 1)
    expect(report.static.stresses.some(({ demand }) => demand > 0)).toBe(true)
    const page = Buffer.from((await w.bodies.get('audit/main/mesh/2026-W47.html')) ?? '').toString()
    expect(page).toContain('<svg')
    const text = Buffer.from((await w.bodies.get('audit/main/mesh/2026-W47.md')) ?? '').toString()
    expect(text).toMatch(/^## Mesh: /)
  })

  it('is compared with the one before: what got worse is said, and what was mended', async () => {
    const first = await w.validate('2026-W47')
    advance(7 * day)
    w.stacks.deploy('shop', template({ keeps: false }))
    const { data: second } = await w.validate('2026-W48')
    expect(second.findings.high).toBeGreaterThan(0)
    expect(second.trend).toEqual({
      last: '2026-11-16T04:17:03.000Z',
      system_health: first.data.system_health,
      score: Math.round(100 * ((second.score ?? 0) - (first.data.score ?? 0))) / 100,
    })
    expect(second.changes?.appeared.items).toContainEqual(
      expect.objectContaining({ rule: 'no-redrive', severity: 'high', at: 'shop/Orders' }),
    )
    expect(second.worse).toContain('1 new finding of high severity')
    advance(7 * day)
    w.stacks.deploy('shop', template({ keeps: true }))
    const { data: third } = await w.validate('2026-W49')
    expect(third.changes?.gone.items).toContainEqual(expect.objectContaining({ rule: 'no-redrive' }))
    expect(third.worse).toEqual([])
    expect((await w.report('audit/main/mesh/2026-W49.json')).trend?.gone).not.toEqual([])
  })

  it('goes by what the template accepts, and tells what is accepted and not found', async () => {
    w.stacks.deploy('shop', template({ keeps: false, accepted: true }))
    const { data: first } = await w.validate('2026-W47')
    expect(first).toMatchObject({ findings: { high: 0 }, worse: [] })
    expect((await w.report('audit/main/mesh/2026-W47.json')).accepted).toMatchObject([
      { rule: 'no-redrive', at: 'shop/Orders', because: 'they come again tomorrow' },
    ])
    w.stacks.deploy('shop', template({ keeps: true, accepted: true }))
    const { data: second } = await w.validate('2026-W48')
    const needless = 'accepted, and not found under this load: no-redrive at shop/Orders'
    expect([first.notes, second.notes].map((notes) => notes.includes(needless))).toEqual([false, true])
  })

  it('says why where there is no score', async () => {
    const why = 'nothing came in since Monday'
    const { data } = await w.validate('a', { measure: async () => ({ loads: noLoads, unknown: [why] }) })
    expect(data).toMatchObject({ score: null, system_health: 'unknown' })
    expect(data.notes).toContain(why)
    expect(data.terms.filter(({ points }) => points === null).length).toBeGreaterThan(0)
    expect(data.notes.join('\n')).toContain('latency: ')
  })

  it('is told once, however often the same week starts it, and again for another name', async () => {
    const { data } = await w.validate('2026-W47')
    advance(60_000)
    expect(await w.validate('2026-W47')).toEqual({ told: false, data })
    await w.validate('by-hand')
    expect(await w.validate('2026-W47')).toMatchObject({ told: false })
    expect(w.told().map((event) => event.data)).toMatchObject([{ run: '2026-W47' }, { run: 'by-hand' }])
    expect(new Set(w.told().map(({ id }) => id)).size).toBe(2)
  })

  it('that crashed before its end is made again, onto the same report and under the same id', async () => {
    const crash = async () => {
      throw new Error('killed')
    }
    for (const part of [
      { bodies: { ...w.bodies, put: crash } },
      { memory: { ...w.memory, commit: crash } },
      { stacks: { template: crash } },
    ])
      await expect(w.validate('2026-W47', part)).rejects.toThrow('killed')
    expect(w.told()).toEqual([])
    const lost: ValidateDeps['memory'] = {
      ...w.memory,
      commit: async (change) => {
        await w.memory.commit(change)
        throw new Error('no answer')
      },
    }
    await expect(w.validate('2026-W47', { memory: lost })).rejects.toThrow('no answer')
    const [event] = w.told()
    expect(await w.validate('2026-W47')).toEqual({ told: false, data: event?.data })
    expect(w.told()).toEqual([event])
  })

  it('beside another one is tried again: of two at once one is told, then the other against it', async () => {
    const meanwhile: ValidateDeps['bodies'] = {
      ...w.bodies,
      put: async (key, body) => {
        if (key.includes('slow') && w.told().length === 0) await w.validate('fast')
        await w.bodies.put(key, body)
      },
    }
    await expect(w.validate('slow', { bodies: meanwhile })).rejects.toMatchObject({ code: 'Busy' })
    expect(await w.validate('slow')).toMatchObject({ told: true, data: { trend: { score: 0 } } })
  })
})

describe('a report before that cannot be read', () => {
  const last = 'audit/main/mesh/2026-W47.json'
  const next = async () => {
    advance(7 * day)
    w.stacks.deploy('shop', template({ keeps: false }))
    return (await w.validate('2026-W48')).data
  }
  beforeEach(async () => {
    await w.validate('2026-W47')
  })

  it.each<[string, () => Promise<void> | void, RegExp]>([
    [
      'is no JSON',
      () => w.bodies.put(last, Buffer.from('garbage')),
      /the last report cannot be read: .*W47\.json: /,
    ],
    [
      'is of another version',
      () => w.bodies.put(last, Buffer.from('{"version":99}')),
      /: version: expected 1$/,
    ],
    ['is gone', () => w.bodies.remove(last), /the last report is gone: /],
  ])(
    '%s: it is told, the score is compared all the same, and nobody is told of changes',
    async (_, spoil, why) => {
      await spoil()
      const data = await next()
      expect(data.notes[0]).toMatch(/^what changed is not known: /)
      expect(data.notes[0]).toMatch(why)
      expect(data).toMatchObject({ changes: null, trend: { last: '2026-11-16T04:17:03.000Z' } })
      expect(data.trend?.score).not.toBeNull()
      expect(data.worse.join()).not.toContain('finding')
      expect((await w.validate('after')).data.changes).not.toBeNull()
    },
  )

  it('nor what is kept of it: it goes on as if it was the first, and says so', async () => {
    const [record] = w.memory.all().records
    if (record === undefined) throw new Error('nothing is kept')
    await w.memory.commit({ writes: [{ ...record, version: 2, value: 'garbage' }], outbox: [] })
    const data = await next()
    expect(data.notes[0]).toMatch(/^what changed is not known: what was kept of the last validation/)
    expect(data).toMatchObject({ changes: null, trend: null })
  })
})

it('a stack that is not there, or a template that is none, fails with its name', async () => {
  const other = (name: string) => validateMesh('x', { ...structure, stacks: [name] }, w.deps)
  await expect(other('gone')).rejects.toMatchObject({ code: 'NotFound', message: 'there is no stack gone' })
  w.stacks.deploy('odd', { Resources: [] })
  await expect(other('odd')).rejects.toThrow(/^odd: /)
  expect(w.told()).toEqual([])
})

it.each([
  ['2026-11-16T00:00:00.000Z', '2026-W47'],
  ['2026-11-22T23:59:59.999Z', '2026-W47'],
  ['2026-11-23T04:17:00Z', '2026-W48'],
  ['2027-01-03T12:00:00.000Z', '2026-W53'],
  ['2027-01-04T00:00:00.000Z', '2027-W01'],
  ['2024-12-30T12:00:00.000Z', '2025-W01'],
  ['2021-01-03T12:00:00.000Z', '2020-W53'],
])('%s lies in the week %s', (time, week) => {
  expect(weekOf(time)).toBe(week)
})
