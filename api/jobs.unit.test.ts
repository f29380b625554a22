import { beforeEach, describe, expect, it } from 'vitest'
import { emittedId } from '../core/event/admit.ts'
import { outboxFrame } from '../core/frame.ts'
import { relay } from '../core/gate/relay.ts'
import { jobRecord } from '../core/job/job.ts'
import { routes } from '../events/routes.ts'
import { type World, world } from '../test/api-world.ts'

let w: World
let operator: string
beforeEach(async () => {
  w = world()
  operator = await w.key('acme', ['deliveries:write', 'events:read', 'runs:write'])
})

const ask = (request: string, body?: unknown) => w.ask(operator, request, body)

/** A job whose run has begun. */
async function begun() {
  const { body } = await ask('POST /v1/dead-letters/redrive', { all: true, rate: 3 })
  const gate = { ...w.deps, clock: w.now, random: Math.random, routes }
  await relay([{ project: 'acme', partitionkey: `job/${body.id}` }], gate)
  expect(w.queues.take('redrive')).toHaveLength(1)
  await w.workflows.start('redrive', body.run.run, {})
  return body
}
const died = (run: string) => w.workflows.end('redrive', run, { error: 'Lambda.Unknown', cause: 'x' })

describe('a job', () => {
  it('is shown and listed, newest first', async () => {
    const first = await begun()
    w.wait(1000)
    const second = await begun()
    expect((await ask(`GET /v1/jobs/${first.id}`)).body).toEqual(first)
    const { items, pages } = await w.list(operator, '/v1/jobs?limit=1')
    expect([items.map(({ id }) => id), pages]).toEqual([[second.id, first.id], 2])
    expect((await w.list(operator, '/v1/jobs?kind=replay')).items).toEqual([])
    expect((await ask('GET /v1/jobs/none')).status).toBe(404)
  })

  it('is paused and resumed, as the next attempt of its run', async () => {
    const job = await begun()
    expect((await ask(`POST /v1/jobs/${job.id}/resume`)).status).toBe(409)
    expect((await ask(`POST /v1/jobs/${job.id}/pause`)).body.state).toBe('paused')
    const resumed = await ask(`POST /v1/jobs/${job.id}/resume`)
    expect(resumed).toMatchObject({ status: 202, body: { state: 'running', attempt: 2 } })
    expect(resumed.body.run.run).not.toBe(job.run.run)
    const [frame] = w.queues.take('redrive').map((body) => JSON.parse(body))
    expect(frame).toMatchObject({ attempt: 2, event: { type: 'redrive.requested' } })
  })

  it('is told of when somebody pauses, resumes or stops it: who, and why', async () => {
    const { id, by: asker } = await begun()
    const boss = await w.key('acme', ['deliveries:write', 'events:read', 'runs:write'])
    await ask(`POST /v1/jobs/${id}/pause`)
    await ask(`POST /v1/jobs/${id}/pause`)
    await w.ask(boss, `POST /v1/jobs/${id}/resume`)
    await w.ask(boss, `POST /v1/jobs/${id}/stop`, { reason: 'still down' })
    const told = w.memory.all().outbox.map(({ frame }) => outboxFrame.parse(frame))
    const other = told.at(-1)?.actor
    expect(other).not.toBe(asker)
    const about = { job: id, kind: 'redrive' }
    expect(told.map(({ actor, event: { type, data } }) => ({ actor, type, data }))).toMatchObject([
      { actor: asker, type: 'job.changed', data: { ...about, to: 'paused' } },
      { actor: other, type: 'job.changed', data: { ...about, to: 'resumed' } },
      {
        actor: other,
        type: 'event.redriven',
        data: { job: id, stopped: expect.stringContaining('still down') },
      },
      { actor: other, type: 'job.changed', data: { ...about, to: 'stopped', reason: 'still down' } },
    ])
    expect(new Set(told.map((frame) => emittedId(frame))).size).toBe(4)
  })

  it('is not told of as resumed where its run could not be started', async () => {
    const { id } = await begun()
    await ask(`POST /v1/jobs/${id}/pause`)
    w.queues.send = async (_, messages) => messages.map((_, index) => ({ index, error: new Error('down') }))
    expect((await ask(`POST /v1/jobs/${id}/resume`)).status).toBe(503)
    const told = w.memory.all().outbox.map(({ frame }) => outboxFrame.parse(frame).event.data)
    expect(told).toMatchObject([
      { to: 'paused' },
      { to: 'resumed' },
      { to: 'paused', reason: expect.any(String) },
    ])
  })

  it('is interrupted when its run has died, and goes on when it is resumed', async () => {
    const job = await begun()
    died(job.run.run)
    expect((await ask(`GET /v1/jobs/${job.id}`)).body.state).toBe('interrupted')
    expect((await w.list(operator, '/v1/jobs?state=interrupted')).items).toHaveLength(1)
    expect((await w.list(operator, '/v1/jobs?state=running')).items).toHaveLength(0)
    expect((await ask(`POST /v1/jobs/${job.id}/resume`)).body).toMatchObject({ attempt: 2 })
  })

  it('is interrupted when its run never began', async () => {
    const { body } = await ask('POST /v1/dead-letters/redrive', { all: true })
    expect((await ask(`GET /v1/jobs/${body.id}`)).body.state).toBe('running')
    w.wait(16 * 60_000)
    expect((await ask(`GET /v1/jobs/${body.id}`)).body.state).toBe('interrupted')
  })

  it('runs again once it is resumed, however long ago it was asked for', async () => {
    const job = await begun()
    w.wait(60 * 60_000)
    died(job.run.run)
    expect((await ask(`POST /v1/jobs/${job.id}/resume`)).body).toMatchObject({ state: 'running', attempt: 2 })
    expect((await ask(`GET /v1/jobs/${job.id}`)).body.state).toBe('running')
    expect((await ask(`POST /v1/jobs/${job.id}/resume`)).status).toBe(409)
    w.wait(16 * 60_000)
    expect((await ask(`GET /v1/jobs/${job.id}`)).body.state).toBe('interrupted')
  })

  it('can be resumed again when its run could not be asked for', async () => {
    const job = await begun()
    died(job.run.run)
    const { send } = w.queues
    w.queues.send = async (_, messages) => messages.map((_, index) => ({ index, error: new Error('down') }))
    expect((await ask(`POST /v1/jobs/${job.id}/resume`)).status).toBe(503)
    w.queues.send = send
    expect((await ask(`POST /v1/jobs/${job.id}/resume`)).body).toMatchObject({ state: 'running', attempt: 3 })
  })

  it('is kept for 90 days after its end', async () => {
    const job = await begun()
    w.wait(100 * 86_400_000)
    expect((await ask(`GET /v1/jobs/${job.id}`)).status).toBe(200)
    await ask(`POST /v1/jobs/${job.id}/stop`, {})
    const record = await w.memory.get(jobRecord('acme', job.id))
    expect(Date.parse(record?.expires ?? '') - Date.parse(w.now())).toBe(90 * 86_400_000)
  })

  it('is resumed by one of two who ask at once', async () => {
    const job = await begun()
    died(job.run.run)
    const both = await Promise.all([1, 2].map(() => ask(`POST /v1/jobs/${job.id}/resume`)))
    expect(both.map(({ status }) => status).sort()).toEqual([202, 409])
    expect(w.queues.take('redrive')).toHaveLength(1)
  })

  it('is stopped, with why, and told of; then it is over', async () => {
    const job = await begun()
    const { body } = await ask(`POST /v1/jobs/${job.id}/stop`, { reason: 'wrong filter' })
    expect(body).toMatchObject({
      state: 'stopped',
      reason: expect.stringMatching(/^stopped by .*: wrong filter$/),
    })
    const [item] = await w.memory.outbox('acme', `job/${job.id}`)
    expect(item?.frame).toMatchObject({ event: { type: 'event.redriven', data: { stopped: body.reason } } })
    for (const verb of ['pause', 'resume'])
      expect((await ask(`POST /v1/jobs/${job.id}/${verb}`)).status).toBe(409)
    expect((await ask(`POST /v1/jobs/${job.id}/stop`, {})).status).toBe(409)
  })

  it('is of its project alone', async () => {
    const job = await begun()
    const stranger = await w.key('other', ['deliveries:write', 'events:read'])
    expect((await w.ask(stranger, `GET /v1/jobs/${job.id}`)).status).toBe(404)
    expect((await w.ask(stranger, `POST /v1/jobs/${job.id}/stop`, {})).status).toBe(404)
  })
})

describe('a run of a workflow that does jobs', () => {
  it('is not stopped or tried again by itself: who may start runs may not mend deliveries', async () => {
    const job = await begun()
    const { workflow, run } = job.run
    const starter = await w.key('acme', ['runs:read', 'runs:write'])
    const input = {
      event: {
        project: 'acme',
        source: 's',
        id: 'i',
        type: 't',
        partitionkey: 'k',
        correlationid: 'c',
        hops: 0,
      },
    }
    await w.workflows.start(workflow, `${run}x`, {
      ...input,
      workflow,
      run: `${run}x`,
      attempt: 1,
      replay: '',
    })
    const stop = await w.ask(starter, `POST /v1/runs/${workflow}/${run}x/stop`, {})
    expect([stop.status, stop.body.detail]).toEqual([409, expect.stringContaining('loadpath jobs stop')])
    died(`${run}x`)
    const retry = await w.ask(starter, `POST /v1/runs/${workflow}/${run}x/retry`)
    expect([retry.status, retry.body.detail]).toEqual([409, expect.stringContaining('loadpath jobs resume')])
  })

  it('is not started by hand', async () => {
    const job = await begun()
    for (const body of [
      { workflow: 'redrive', data: {} },
      { workflow: 'redrive', event: { id: job.id } },
    ]) {
      const { status, body: said } = await ask('POST /v1/runs', body)
      expect([status, said.detail]).toEqual([409, expect.stringContaining('loadpath dead redrive')])
    }
  })
})
