import { beforeAll, describe, expect, it } from 'vitest'
import { approvalOf } from '../../core/domain/approval.ts'
import { runOf, runRecord } from '../../core/domain/run.ts'
import type { Fate } from '../../core/ports.ts'
import { commitId, deliveryTo, deployedStage, eventually, payload, pushPayload } from './stage.ts'

const stage = deployedStage()

const source = 'https://github.com/Codertocat/Hello-World'

describe('a push from GitHub', () => {
  let push: Fate
  beforeAll(async () => {
    const { delivery, status, body } = await stage.webhook('push', pushPayload())
    expect({ status, body }).toMatchObject({
      status: 202,
      body: { outcome: 'recorded', type: 'github.push' },
    })
    push = await stage.settled({ project: 'main', source, id: delivery })
  })

  it('is recorded with what it expects', () => {
    expect(push.stored).toMatchObject({
      event: {
        type: 'github.push',
        door: 'http',
        actor: 'service:github',
        partitionkey: 'repository/Codertocat/Hello-World',
      },
      expects: ['analyze-push', 'test-and-validate'],
    })
  })

  it('is analysed, and what was found is recorded and published in the same story', async () => {
    const analyzed = deliveryTo(push, 'analyze-push')
    expect(analyzed).toMatchObject({ state: 'done', attempts: 1 })
    const id = analyzed?.emitted[0] ?? 'nothing'
    const fate = await stage.settled({ project: 'main', source: '/loadpath/analyze-push', id })
    expect(fate.stored?.event).toMatchObject({
      type: 'repository.analyzed',
      correlationid: push.stored?.event.id,
      cause: { source, id: push.stored?.event.id, by: 'analyze-push' },
      hops: 1,
    })
    expect(deliveryTo(fate, 'publish')).toMatchObject({ state: 'done' })
  })

  it('runs the workflow, which tells its decision', async () => {
    const run = deliveryTo(push, 'test-and-validate')?.run ?? 'none'
    const record = await eventually(async () => {
      const found = runOf(await stage.memory.get(runRecord('main', 'test-and-validate', run)))
      expect(found?.status).toBe('succeeded')
      return found
    })
    expect(record).toMatchObject({ attempt: 1, event: { type: 'github.push' }, ended: expect.any(String) })
    const evaluated = await eventually(async () => {
      const { items } = await stage.history.story({
        project: 'main',
        correlationid: push.stored?.event.id ?? '',
        limit: 50,
      })
      const events = (await stage.history.getEvents(items)).map((stored) => stored?.event)
      const found = events.find((event) => event?.type === 'quality-gate.evaluated')
      expect(events.map((event) => event?.type)).toContain('workflow.succeeded')
      expect(found).toBeDefined()
      return found
    })
    expect(evaluated?.data).toMatchObject({ repository: 'Codertocat/Hello-World', decision: 'hold' })
  })
})

describe('a repository with gates of its own', () => {
  it('declares them by a command whose event comes through the outbox', async () => {
    const repository = `octo/${commitId().slice(0, 8)}`
    const declared = await stage.call('POST', '/v1/repositories', {
      repository,
      deployBranch: 'main',
      gates: [{ gate: 'build', onFailure: 'rollback' }],
    })
    expect(declared.status).toBe(201)
    await eventually(async () => {
      const { body } = await stage.call(
        'GET',
        `/v1/events?type=repository.updated&key=repository/${repository}`,
      )
      expect(body.items).toMatchObject([
        { type: 'repository.updated', partitionkey: `repository/${repository}` },
      ])
    })
  })

  it('waits for an approval, and goes on when it is given', async () => {
    const repository = `octo/${commitId().slice(0, 8)}`
    await stage.call('POST', '/v1/repositories', {
      repository,
      deployBranch: 'master',
      gates: [{ gate: 'approval', fromRisk: 0, expiresInMinutes: 60 }],
    })
    const commit = commitId()
    const { body: started } = await stage.call('POST', '/v1/runs', {
      workflow: 'test-and-validate',
      data: { repository, branch: 'master', commit },
    })
    const pending = await eventually(async () => {
      const { items } = await stage.memory.list({ project: 'main', list: 'approvals/pending', limit: 100 })
      const found = items.map(approvalOf).find((approval) => approval?.run === started.run)
      expect(found).toBeDefined()
      return found
    })
    const path = `/v1/approvals/${pending?.approval}/decision`
    expect((await stage.call('POST', path, { decision: 'approved', comment: 'looks right' })).status).toBe(
      200,
    )
    expect((await stage.call('POST', path, { decision: 'denied' })).status).toBe(409)
    const evaluated = await eventually(async () => {
      const { body } = await stage.call(
        'GET',
        `/v1/events?type=quality-gate.evaluated&key=repository/${repository}`,
      )
      expect(body.items).toHaveLength(1)
      return stage.call('GET', `/v1/events/${body.items[0].id}`)
    })
    expect(evaluated.body.event.data).toMatchObject({ decision: 'deploy', commit })
  })
})

it('keeps the build status of a branch, told only when it changes', async () => {
  const repository = { full_name: `octo/${commitId().slice(0, 8)}`, default_branch: 'main' }
  const base = payload('workflow_run', ({ action }) => action === 'completed')
  const told = (conclusion: string, minute: number, id: number) => ({
    ...base,
    repository: { ...(base.repository as object), ...repository },
    workflow_run: {
      ...(base.workflow_run as object),
      id,
      head_branch: 'main',
      head_repository: repository,
      conclusion,
      updated_at: `2026-01-01T12:0${minute}:00Z`,
    },
  })
  await stage.webhook('workflow_run', told('success', 1, 1))
  await eventually(async () => expect(await statuses(repository.full_name)).toEqual(['passing']))
  await stage.webhook('workflow_run', told('success', 2, 2))
  await stage.webhook('workflow_run', told('failure', 3, 3))
  await eventually(async () => expect(await statuses(repository.full_name)).toEqual(['failing', 'passing']))
})

async function statuses(repository: string): Promise<string[]> {
  const { body } = await stage.call(
    'GET',
    `/v1/events?type=build.status-changed&key=build/${repository}/main`,
  )
  const events = await Promise.all(
    body.items.map(({ id }: { id: string }) => stage.call('GET', `/v1/events/${id}`)),
  )
  return events.map((event) => event.body.event.data.to)
}
