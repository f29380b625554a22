import { describe, expect, it } from 'vitest'
import { approvalDecided } from '../../events/approval.decided.ts'
import { approvalRequested } from '../../events/approval.requested.ts'
import { Failure } from '../errors.ts'
import type { MemoryRecord } from '../ports.ts'
import {
  type AnswerApproval,
  answer,
  answerOf,
  approvalOf,
  publicView,
  type RequestApproval,
  request,
} from './approval.ts'

const command: RequestApproval = {
  approval: '4f0b8f3e-6f43-5f0e-9d0f-1c1c9b4d8a11',
  workflow: 'test-and-validate',
  run: 'abc',
  question: 'Deploy octo/hello ec26c3e to main? Risk 70.',
  expires: '2026-01-01T13:00:00Z',
  requestedFor: { source: 'https://github.com/octo/hello', id: 'd1', correlationid: 'd1', hops: 0 },
  token: 'secret-token',
}
const inTime = '2026-01-01T12:30:00.000Z'
const late = '2026-01-01T13:00:00.001Z'
const approve: AnswerApproval = { decision: 'approved', by: 'user:ann', comment: 'checked', now: inTime }

const asked = request('main', command, undefined)
const pending = asked?.writes[0] as MemoryRecord
const decided = (by: AnswerApproval): MemoryRecord => answer('main', by, pending).writes[0] as MemoryRecord

describe('asking', () => {
  it('keeps the question and says so, without the token', () => {
    expect(pending).toEqual({
      project: 'main',
      kind: 'approval',
      name: command.approval,
      version: 1,
      value: { ...command, status: 'pending' },
      place: { list: 'approvals/pending', order: '2026-01-01T13:00:00.000Z' },
    })
    expect(asked?.sequence).toBe(1)
    expect(asked?.emits.map(({ type }) => type)).toEqual([approvalRequested])
    expect(approvalRequested.schema.parse(asked?.emits[0]?.data)).toEqual(asked?.emits[0]?.data)
    expect(JSON.stringify(asked?.emits.map(({ data }) => data))).not.toContain(command.token)
  })

  it('again with the same token changes nothing', () => {
    expect(request('main', command, pending)).toBeUndefined()
  })

  it('again with a new token takes its place: nobody is asked twice, and the time does not start anew', () => {
    const again = request('main', { ...command, token: 'newer', expires: '2026-01-01T19:00:00Z' }, pending)
    expect(again?.emits).toEqual([])
    expect(again?.writes).toEqual([
      { ...pending, version: 2, value: { ...command, status: 'pending', token: 'newer' } },
    ])
  })

  it('again after the answer changes nothing, and the answer is there', () => {
    const record = decided(approve)
    expect(request('main', { ...command, token: 'newer' }, record)).toBeUndefined()
    const state = approvalOf(record)
    expect(state && answerOf(state)).toEqual({ decision: 'approved', by: 'user:ann', comment: 'checked' })
  })
})

describe('answering', () => {
  it.each<[AnswerApproval, object]>([
    [approve, { decision: 'approved', by: 'user:ann', comment: 'checked' }],
    [
      { decision: 'denied', by: 'user:bob', now: inTime },
      { decision: 'denied', by: 'user:bob' },
    ],
    [
      { decision: 'approved', by: 'user:bob', now: '2026-01-01T13:00:00.000Z' },
      { decision: 'approved', by: 'user:bob' },
    ],
    [
      { decision: 'expired', now: late },
      { decision: 'expired', by: 'system' },
    ],
  ])('%j is kept and said', (given, said) => {
    const change = answer('main', given, pending)
    expect(change.sequence).toBe(2)
    expect(change.emits).toEqual([{ type: approvalDecided, data: { approval: command.approval, ...said } }])
    expect(approvalDecided.schema.safeParse(change.emits[0]?.data).success).toBe(true)
    expect(change.writes).toMatchObject([
      {
        version: 2,
        place: { list: 'approvals/decided', order: given.now },
        value: { status: given.decision },
      },
    ])
    const state = approvalOf(change.writes[0])
    expect(state && answerOf(state)).toEqual(said)
  })

  it.each<AnswerApproval>([
    approve,
    { decision: 'denied', by: 'user:bob', now: inTime },
    { decision: 'expired', now: late },
  ])('a second time is refused with who decided what and when: %j', (second) => {
    expect(() => answer('main', second, decided(approve))).toThrow(
      new Failure('Conflict', `it was approved by user:ann at ${inTime}`),
    )
  })

  it('is refused too late, and expiring too early', () => {
    const tooLate = () => answer('main', { ...approve, now: late }, pending)
    expect(tooLate).toThrow(new Failure('ApprovalExpired', 'it could be answered until 2026-01-01T13:00:00Z'))
    expect(tooLate).toThrow(expect.objectContaining({ code: 'ApprovalExpired' }))
    expect(() => answer('main', { decision: 'expired', now: inTime }, pending)).toThrow(
      expect.objectContaining({ code: 'Conflict' }),
    )
  })

  it('is refused where nothing was asked', () => {
    expect(() => answer('main', approve, undefined)).toThrow(expect.objectContaining({ code: 'NotFound' }))
  })
})

describe('what others see', () => {
  it.each([pending, decided(approve)])('is all but the token', (record) => {
    const state = approvalOf(record)
    const view = state && publicView(state)
    expect(view).toMatchObject({ question: command.question, status: state?.status })
    expect(JSON.stringify(view)).not.toContain(command.token)
  })

  it('has no answer while it is pending', () => {
    const state = approvalOf(pending)
    expect(state && answerOf(state)).toBeUndefined()
  })

  it('refuses a record that is none', () => {
    expect(() => approvalOf({ ...pending, value: { status: 'pending' } })).toThrow()
  })
})
