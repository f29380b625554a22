import { describe, expect, test } from 'vitest'
import { emittedId } from '../event/admit.ts'
import { outboxFrame } from '../frame.ts'
import type { Commit, CommitVerdict, MemoryRecord } from '../ports.ts'
import { answer, approvalOf, approvalRecord } from './approval.ts'
import { type ApprovalTask, type AskDeps, askForApproval } from './ask-for-approval.ts'

const now = '2026-01-01T12:00:00.000Z'
const task: ApprovalTask = {
  token: 'token-1',
  step: 'WaitForApproval#0',
  approval: { question: 'Deploy octo/hello ec26c3e to main? Risk 70.', expiresInMinutes: 90 },
  input: {
    workflow: 'test-and-validate',
    run: 'r1',
    attempt: 1,
    replay: '',
    event: {
      project: 'main',
      source: 'https://github.com/octo/hello',
      id: 'd1',
      type: 'github.push',
      partitionkey: 'repository/octo/hello',
      correlationid: 'story',
      hops: 2,
    },
  },
}

function world(verdict?: CommitVerdict) {
  const records = new Map<string, MemoryRecord>()
  const commits: Commit[] = []
  const answered: [token: string, output: unknown][] = []
  const deps: AskDeps = {
    memory: {
      get: async ({ name }) => records.get(name),
      commit: async (change) => {
        if (verdict !== undefined) return verdict
        commits.push(change)
        for (const write of change.writes) {
          expect(write.version).toBe((records.get(write.name)?.version ?? 0) + 1)
          records.set(write.name, write)
        }
        return 'committed'
      },
    },
    workflows: {
      succeedTask: async (token, output) => {
        answered.push([token, output])
        return 'answered'
      },
    },
    clock: () => now,
  }
  const frames = () => commits.flatMap(({ outbox }) => outbox.map(({ frame }) => outboxFrame.parse(frame)))
  return {
    records,
    commits,
    answered,
    frames,
    ask: (of: Partial<ApprovalTask> = {}) => askForApproval({ ...task, ...of }, deps),
  }
}

test('writes the approval and the event that asks in one commit', async () => {
  const { ask, commits, records, frames } = world()
  const approval = await ask()
  expect(commits).toHaveLength(1)
  expect(approvalOf(records.get(approval))).toMatchObject({
    status: 'pending',
    token: 'token-1',
    run: 'r1',
    question: task.approval.question,
    expires: '2026-01-01T13:30:00.000Z',
  })
  expect(frames()).toMatchObject([
    {
      project: 'main',
      by: 'test-and-validate',
      cause: { id: 'd1', correlationid: 'story', hops: 2 },
      event: { type: 'approval.requested', data: { approval } },
    },
  ])
  expect(JSON.stringify(frames())).not.toContain('token-1')
})

test('a task that is tried again changes the token and asks nobody twice', async () => {
  const { ask, records, frames } = world()
  const approval = await ask()
  expect(await ask({ token: 'token-2' })).toBe(approval)
  expect(await ask({ token: 'token-2' })).toBe(approval)
  expect(records.size).toBe(1)
  expect(approvalOf(records.get(approval))?.token).toBe('token-2')
  expect(frames()).toHaveLength(1)
})

test('a task whose question was answered meanwhile is answered at once', async () => {
  const { ask, records, answered } = world()
  const approval = await ask()
  const decided = answer('main', { decision: 'approved', by: 'user:a', now }, records.get(approval))
  for (const write of decided.writes) records.set(write.name, write)
  await ask({ token: 'token-2' })
  expect(answered).toEqual([['token-2', { decision: 'approved', by: 'user:a' }]])
})

describe('each step of each run asks on its own', () => {
  test.each<[string, Partial<ApprovalTask>]>([
    ['another gate', { step: 'WaitForApproval#1' }],
    ['a later run for the same event', { input: { ...task.input, run: 'r2', attempt: 2 } }],
  ])('%s', async (_, other) => {
    const { ask, frames } = world()
    const ids = [await ask(), await ask(other)]
    expect(new Set(ids).size).toBe(2)
    // and their events are two, though one event caused both
    expect(new Set(frames().map(emittedId)).size).toBe(2)
  })
})

test('somebody who changed it at the same time makes it try again', async () => {
  await expect(world('version conflict').ask()).rejects.toMatchObject({ code: 'Busy' })
})

test('the record is where the API and the sweep look for it', async () => {
  const { ask, commits } = world()
  const approval = await ask()
  expect(commits[0]?.writes[0]).toMatchObject({
    ...approvalRecord('main', approval),
    place: { list: 'approvals/pending', order: '2026-01-01T13:30:00.000Z' },
  })
})
