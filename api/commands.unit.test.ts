// Longer than 300 lines: each command of the API with all its refusals, over one world.

import { beforeEach, describe, expect, it } from 'vitest'
import { request } from '../core/domain/approval.ts'
import { track } from '../core/domain/build.ts'
import { httpFrame, outboxFrame } from '../core/frame.ts'
import type { Memory } from '../core/ports.ts'
import { type World, world } from '../test/api-world.ts'

let w: World
let admin: string
beforeEach(async () => {
  w = world()
  admin = await w.key('acme', ['admin'])
})

describe('keys', () => {
  it('are made, work, are listed without their secret, and revoked', async () => {
    const made = await w.ask(admin, 'POST /v1/keys', {
      name: 'ci',
      scopes: ['events:read'],
      expiresInDays: 30,
    })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ name: 'ci', project: 'acme', expires: '2026-02-09T12:30:00.000Z' })
    expect((await w.ask(made.body.key, 'GET /v1/events')).status).toBe(200)

    const { items } = await w.list(admin, '/v1/keys')
    expect(items.map(({ name }) => name)).toContain('ci')
    expect(JSON.stringify(items)).not.toMatch(/hash|lp_/)

    const revoked = await w.ask(admin, `DELETE /v1/keys/${made.body.id}`)
    expect(revoked).toMatchObject({ status: 200, body: { id: made.body.id, revoked: w.now() } })
    expect((await w.ask(made.body.key, 'GET /v1/events')).status).toBe(401)
    expect((await w.ask(admin, `DELETE /v1/keys/${made.body.id}`)).status).toBe(200)
  })

  it('expire by the clock', async () => {
    const made = await w.ask(admin, 'POST /v1/keys', { name: 'x', scopes: ['events:read'], expiresInDays: 1 })
    w.wait(86_400_000 - 1)
    expect((await w.ask(made.body.key, 'GET /v1/routes')).status).toBe(200)
    w.wait(1)
    expect((await w.ask(made.body.key, 'GET /v1/routes')).status).toBe(401)
  })

  it('give no more than their maker has, and reach no other project', async () => {
    const maker = await w.key('acme', ['keys:write', 'events:read'])
    expect((await w.ask(maker, 'POST /v1/keys', { name: 'x', scopes: ['admin'] })).status).toBe(403)
    expect(
      (await w.ask(maker, 'POST /v1/keys', { name: 'x', scopes: ['events:read'], project: 'other' })).status,
    ).toBe(403)
    expect((await w.ask(maker, 'GET /v1/keys?project=other')).status).toBe(403)
    const other = await w.ask(admin, 'POST /v1/keys', {
      name: 'x',
      scopes: ['events:read'],
      project: 'other',
    })
    expect(other).toMatchObject({ status: 201, body: { project: 'other' } })
    expect((await w.ask(maker, `DELETE /v1/keys/${other.body.id}`)).status).toBe(404)
    expect((await w.ask(admin, `DELETE /v1/keys/${other.body.id}`)).status).toBe(200)
  })

  it('422 for scopes that do not exist', async () => {
    const { status, body } = await w.ask(admin, 'POST /v1/keys', {
      name: '',
      scopes: ['events:eat'],
      expiresInDays: 0,
    })
    expect(status).toBe(422)
    expect(body.faults.map((fault: { path: string }) => fault.path)).toEqual([
      'name',
      'scopes.0',
      'expiresInDays',
    ])
  })

  it('are listed over pages, newest first', async () => {
    for (let n = 0; n < 6; n++) {
      w.wait(1)
      await w.ask(admin, 'POST /v1/keys', { name: `k${n}`, scopes: ['events:read'] })
    }
    const { items, pages } = await w.list(admin, '/v1/keys?limit=2')
    expect(items.map(({ name }) => name)).toEqual(['k5', 'k4', 'k3', 'k2', 'k1', 'k0', 'test'])
    expect(pages).toBe(4)
  })
})

describe('repositories', () => {
  const hello = { repository: 'octo/hello', deployBranch: 'main', gates: [{ gate: 'build' }] }

  it('are declared with their event, once', async () => {
    const made = await w.ask(admin, 'POST /v1/repositories', hello)
    expect(made).toMatchObject({
      status: 201,
      body: { version: 1, gates: [{ gate: 'build', onFailure: 'hold' }] },
    })
    expect(await w.ask(admin, 'POST /v1/repositories', hello)).toMatchObject({
      status: 200,
      body: { version: 1 },
    })
    const changed = await w.ask(admin, 'POST /v1/repositories', { ...hello, deployBranch: 'trunk' })
    expect(changed).toMatchObject({ status: 200, body: { version: 2, deployBranch: 'trunk' } })

    const waiting = await w.memory.outbox('acme', 'repository/octo/hello')
    expect(waiting.map(({ sequence, frame }) => [sequence, outboxFrame.parse(frame)])).toMatchObject([
      [
        1,
        {
          by: 'api',
          project: 'acme',
          actor: expect.stringMatching(/^user:/),
          event: { type: 'repository.updated' },
        },
      ],
      [2, { event: { data: { deployBranch: 'trunk', version: 2 } } }],
    ])
  })

  it('are shown and listed, to their own project', async () => {
    for (const name of ['c', 'a', 'b'])
      await w.ask(admin, 'POST /v1/repositories', { ...hello, repository: `octo/${name}` })
    const { items, pages } = await w.list(admin, '/v1/repositories?limit=2')
    expect(items.map(({ repository }) => repository)).toEqual(['octo/a', 'octo/b', 'octo/c'])
    expect(pages).toBe(2)
    expect((await w.ask(admin, 'GET /v1/repositories/octo/a')).body.repository).toBe('octo/a')
    expect((await w.ask(admin, 'GET /v1/repositories/octo/none')).status).toBe(404)
    const foreign = await w.key('other', ['repositories:read'])
    expect((await w.ask(foreign, 'GET /v1/repositories/octo/a')).status).toBe(404)
    expect((await w.list(foreign, '/v1/repositories')).items).toEqual([])
  })

  it('decide again after a lost race, and 409 after five', async () => {
    let lost = 0
    const racing = (memory: Memory, races: number): Memory => ({
      ...memory,
      commit: async (change) =>
        change.outbox.length > 0 && lost++ < races ? 'version conflict' : memory.commit(change),
    })
    const one = world({ memory: racing(w.memory, 4) })
    expect((await one.ask(admin, 'POST /v1/repositories', hello)).status).toBe(201)
    lost = 0
    const other = world({ memory: racing(w.memory, 5) })
    const busy = await other.ask(admin, 'POST /v1/repositories', { ...hello, deployBranch: 'x' })
    expect(busy).toMatchObject({ status: 409, body: { type: 'https://loadpath.dev/problems/Busy' } })
  })
})

describe('approvals', () => {
  const asked = (approval: string, expires: string) => ({
    approval,
    workflow: 'test-and-validate',
    run: 'r1',
    question: 'Deploy?',
    expires,
    requestedFor: { source: 'gh', id: 'push', correlationid: 'push', hops: 0 },
    token: `token-${approval}`,
  })

  beforeEach(async () => {
    for (const [name, hour] of [
      ['a1', 15],
      ['a2', 14],
      ['a3', 16],
    ] as const) {
      const change = request('acme', asked(name, `2026-01-10T${hour}:00:00.000Z`), undefined)
      await w.memory.commit({ writes: change?.writes ?? [], outbox: [] })
    }
  })

  it('are listed by what ends first, and shown without their token', async () => {
    const { items, pages } = await w.list(admin, '/v1/approvals?limit=2')
    expect(items.map(({ approval }) => approval)).toEqual(['a2', 'a1', 'a3'])
    expect(pages).toBe(2)
    const shown = await w.ask(admin, 'GET /v1/approvals/a1')
    expect(shown.body).toMatchObject({ status: 'pending', question: 'Deploy?', requestedFor: { id: 'push' } })
    expect(JSON.stringify([items, shown.body])).not.toContain('token')
    expect((await w.ask(admin, 'GET /v1/approvals/a9')).status).toBe(404)
    expect((await w.ask(await w.key('other', ['approvals:read']), 'GET /v1/approvals/a1')).status).toBe(404)
  })

  it('are decided once, with an event of the same story', async () => {
    const decided = await w.ask(admin, 'POST /v1/approvals/a1/decision', {
      decision: 'approved',
      comment: 'go',
    })
    expect(decided).toMatchObject({
      status: 200,
      body: { status: 'approved', comment: 'go', decided: w.now() },
    })
    const again = await w.ask(admin, 'POST /v1/approvals/a1/decision', { decision: 'denied' })
    expect(again).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('approved by user:') },
    })
    const [item] = await w.memory.outbox('acme', 'approval/a1')
    expect(outboxFrame.parse(item?.frame)).toMatchObject({
      cause: { source: 'gh', id: 'push', correlationid: 'push' },
      event: { type: 'approval.decided', data: { approval: 'a1', decision: 'approved' } },
    })
    expect((await w.list(admin, '/v1/approvals?status=decided')).items).toHaveLength(1)
    expect((await w.list(admin, '/v1/approvals?status=pending')).items).toHaveLength(2)
  })

  it('two of one story are two events', async () => {
    for (const name of ['a1', 'a2'])
      await w.ask(admin, `POST /v1/approvals/${name}/decision`, { decision: 'denied' })
    const frames = await Promise.all(['a1', 'a2'].map((name) => w.memory.outbox('acme', `approval/${name}`)))
    const authors = frames.flat().map(({ frame }) => outboxFrame.parse(frame).by)
    expect(new Set(authors).size).toBe(2)
  })

  it('409 when it comes too late, 422 for another word, 403 for who may only read', async () => {
    expect((await w.ask(admin, 'POST /v1/approvals/a1/decision', { decision: 'maybe' })).status).toBe(422)
    const reader = await w.key('acme', ['approvals:read'])
    expect((await w.ask(reader, 'POST /v1/approvals/a1/decision', { decision: 'approved' })).status).toBe(403)
    w.wait(4 * 3_600_000)
    const late = await w.ask(admin, 'POST /v1/approvals/a1/decision', { decision: 'approved' })
    expect(late).toMatchObject({
      status: 409,
      body: { type: 'https://loadpath.dev/problems/ApprovalExpired' },
    })
    expect((await w.ask(admin, 'POST /v1/approvals/a9/decision', { decision: 'approved' })).status).toBe(404)
  })
})

describe('GET /v1/builds', () => {
  it('tells how each branch stands', async () => {
    for (const [branch, status] of [
      ['main', 'passing'],
      ['next', 'failing'],
    ] as const) {
      const change = track(
        'acme',
        {
          repository: 'octo/hello',
          branch,
          commit: 'c1',
          fact: {
            source: 'tests',
            name: 'unit',
            status,
            conclusion: null,
            tests: { passed: 1, failed: 0, skipped: 0 },
            created: w.now(),
            order: [0, 1, 2, w.now()],
          },
        },
        undefined,
      )
      await w.memory.commit({ writes: change?.writes ?? [], outbox: [] })
    }
    const { items } = await w.list(admin, '/v1/builds?repository=octo/hello&limit=1')
    expect(items.map(({ branch, status, commit }) => [branch, status, commit]).toSorted()).toEqual([
      ['main', 'passing', 'c1'],
      ['next', 'failing', 'c1'],
    ])
    expect((await w.ask(admin, 'GET /v1/builds')).status).toBe(422)
    const foreign = await w.key('other', ['events:read'])
    expect((await w.list(foreign, '/v1/builds?repository=octo/hello')).items).toEqual([])
  })
})

describe('runs', () => {
  const data = { repository: 'octo/hello', branch: 'main', commit: 'c1' }
  const workflow = 'test-and-validate' as const

  const play = () => w.startRuns(workflow)

  it('start with data: an event like any other, whose run can be foreseen', async () => {
    const asked = await w.ask(admin, 'POST /v1/runs', { workflow, data })
    expect(asked).toMatchObject({
      status: 202,
      body: { workflow, event: { type: 'repository.validation-requested' } },
    })
    const [frame] = w.queues.take('record')
    expect(httpFrame.parse(JSON.parse(frame ?? ''))).toMatchObject({ project: 'acme', event: { data } })
    await w.queues.send('record', [frame ?? ''])
    expect(await play()).toEqual([asked.body.run])
    const shown = await w.ask(admin, `GET /v1/runs/${workflow}/${asked.body.run}`)
    expect(shown.body).toMatchObject({
      status: 'running',
      attempt: 1,
      event: { id: asked.body.event.id },
      live: { status: 'RUNNING' },
    })
  })

  it('the same idempotency key is the same run', async () => {
    const header = { 'idempotency-key': 'once' }
    const first = await w.ask(admin, 'POST /v1/runs', { workflow, data }, header)
    const second = await w.ask(admin, 'POST /v1/runs', { workflow, data }, header)
    const third = await w.ask(admin, 'POST /v1/runs', { workflow, data })
    expect(second.body).toEqual(first.body)
    expect(third.body.run).not.toBe(first.body.run)
    expect(await play()).toHaveLength(2)
    const other = { workflow, data: { ...data, commit: 'other' } }
    expect((await w.ask(admin, 'POST /v1/runs', other, header)).status).toBe(409)
    expect(w.queues.take('record')).toEqual([])
  })

  it('start for a recorded event, as a delivery of its own', async () => {
    await w.put('acme', { id: 'v1', type: 'repository.validation-requested', data })
    const [live] = await play()
    const asked = await w.ask(admin, 'POST /v1/runs', { workflow, event: { id: 'v1' } })
    expect(asked).toMatchObject({ status: 202, body: { event: { id: 'v1', source: 'urn:test' } } })
    expect(asked.body.run).not.toBe(live)
    expect(await play()).toEqual([asked.body.run])
  })

  it('422 says what does not fit, 404 what is not there', async () => {
    const wrong = await w.ask(admin, 'POST /v1/runs', { workflow, data: { ...data, repository: 'hello' } })
    expect(wrong).toMatchObject({
      status: 422,
      body: {
        faults: [{ path: 'data.repository', expected: '<owner>/<name>, as GitHub has it', got: '"hello"' }],
      },
    })
    expect((await w.ask(admin, 'POST /v1/runs', { workflow })).status).toBe(422)
    expect((await w.ask(admin, 'POST /v1/runs', { workflow, data, event: { id: 'x' } })).status).toBe(422)
    expect((await w.ask(admin, 'POST /v1/runs', { workflow: 'notify', data })).status).toBe(404)
    expect((await w.ask(admin, 'POST /v1/runs', { workflow, event: { id: 'x' } })).status).toBe(404)
    await w.put('acme', { id: 'other-type' })
    const other = await w.ask(admin, 'POST /v1/runs', { workflow, event: { id: 'other-type' } })
    expect(other).toMatchObject({ status: 422, body: { faults: [{ path: 'event', got: 'a.b' }] } })
    expect(w.queues.take('record')).toEqual([])
  })

  it('503 when the queue does not take it', async () => {
    const full = world({
      memory: w.memory,
      queues: { send: async () => [{ index: 0, error: new Error('full') }], depth: async () => 0 },
    })
    expect((await full.ask(admin, 'POST /v1/runs', { workflow, data })).status).toBe(503)
  })

  it('stop: when it runs, and not after', async () => {
    await w.ask(admin, 'POST /v1/runs', { workflow, data })
    const [run] = await play()
    const path = `/v1/runs/${workflow}/${run}`
    expect((await w.ask(admin, `POST ${path}/stop`, { reason: 'wrong commit' })).status).toBe(202)
    const shown = await w.ask(admin, `GET ${path}`)
    expect(shown.body).toMatchObject({ status: 'failed', cause: 'wrong commit', live: { status: 'ABORTED' } })
    expect((await w.ask(admin, `POST ${path}/stop`)).status).toBe(409)
  })

  it('retry: when it failed, as the next attempt, once', async () => {
    await w.ask(admin, 'POST /v1/runs', { workflow, data })
    const [run] = await play()
    const path = `/v1/runs/${workflow}/${run}`
    expect((await w.ask(admin, `POST ${path}/retry`)).status).toBe(409)
    w.workflows.end(workflow, run ?? '', { error: 'Busy', cause: 'x' })
    const retried = await w.ask(admin, `POST ${path}/retry`)
    expect(retried).toMatchObject({ status: 202, body: { workflow, attempt: 2 } })
    expect(await play()).toEqual([retried.body.run])
    expect((await w.ask(admin, `POST ${path}/retry`)).status).toBe(409)
    w.workflows.end(workflow, retried.body.run, { output: {} })
    const second = await w.ask(admin, `POST /v1/runs/${workflow}/${retried.body.run}/retry`)
    expect(second).toMatchObject({ status: 409, body: { detail: 'it has succeeded' } })
  })

  it('retry: not while the workflow is paused, where nothing could be parked; and then when it runs', async () => {
    await w.ask(admin, 'POST /v1/runs', { workflow, data })
    const [run] = await play()
    w.workflows.end(workflow, run ?? '', { error: 'Busy', cause: 'x' })
    expect((await w.ask(admin, `POST /v1/subscribers/${workflow}/pause`, { reason: 'a move' })).status).toBe(
      200,
    )
    const path = `/v1/runs/${workflow}/${run}/retry`
    expect(await w.ask(admin, `POST ${path}`)).toMatchObject({
      status: 409,
      body: {
        detail: expect.stringMatching(/is held back \(paused by .*: a move\): retry when it runs again/),
      },
    })
    expect(w.queues.take(workflow)).toEqual([])
    await w.ask(admin, `POST /v1/subscribers/${workflow}/resume`, {})
    expect((await w.ask(admin, `POST ${path}`)).status).toBe(202)
  })

  it('are invisible to another project, even where only Step Functions knows them', async () => {
    const foreign = await w.key('other', ['runs:read', 'runs:write'])
    await w.ask(admin, 'POST /v1/runs', { workflow, data })
    const [run] = await play()
    for (const request of [
      `GET /v1/runs/${workflow}/${run}`,
      `POST /v1/runs/${workflow}/${run}/stop`,
      `POST /v1/runs/${workflow}/${run}/retry`,
    ])
      expect((await w.ask(foreign, request)).status).toBe(404)
    expect((await w.list(foreign, '/v1/runs')).items).toEqual([])
    expect((await w.ask(admin, `GET /v1/runs/other-workflow/${run}`)).status).toBe(404)
  })

  it('are listed, open ones first, over pages and by status', async () => {
    for (const [n, status] of ['running', 'succeeded', 'failed', 'succeeded', 'running'].entries()) {
      const started = `2026-01-10T12:0${n}:00.000Z`
      const list = status === 'running' ? 'runs/open' : 'runs/ended'
      const value = { workflow, run: `r${n}`, status, started, attempt: 1, replay: '' }
      const place = { list, order: started }
      const write = { project: 'acme', kind: 'run', name: `${workflow}/r${n}`, version: 1, value, place }
      await w.memory.commit({ writes: [write], outbox: [] })
    }
    const { items, pages } = await w.list(admin, '/v1/runs?limit=2')
    expect(items.map(({ run }) => run)).toEqual(['r4', 'r0', 'r3', 'r2', 'r1'])
    expect(pages).toBe(3)
    const only = async (query: string) =>
      (await w.list(admin, `/v1/runs?${query}`)).items.map(({ run }) => run)
    expect(await only('status=succeeded&limit=1')).toEqual(['r3', 'r1'])
    expect(await only('status=running')).toEqual(['r4', 'r0'])
    expect(await only('limit=3')).toEqual(['r4', 'r0', 'r3', 'r2', 'r1'])
    expect(await only('workflow=another')).toEqual([])
  })
})
