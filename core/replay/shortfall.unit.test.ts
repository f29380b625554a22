import { expect, it } from 'vitest'
import type { Job } from '../job/job.ts'
import { shortfallOf } from './shortfall.ts'

const job = (more: Partial<Job>): Job => ({
  ...{ id: 'j', kind: 'replay', subscriber: 's', by: 'me', asked: 't', rate: 1, state: 'done', attempt: 1 },
  ...{ batches: 1, request: { source: 's', id: 'i', type: 't' }, selection: {}, counts: {} },
  ...more,
})

it('is nothing where all came through, what was left out and what differs included', () => {
  const counts = { matched: 2, sent: 2, done: 2, left: 1, different: 1, onlyLive: 1, dead: 0 }
  expect(shortfallOf(job({ counts }))).toBeUndefined()
  expect(shortfallOf(job({ kind: 'rebuild', counts: { ...counts, older: 1 } }))).toBeUndefined()
})

it.each(['failed', 'dead', 'parked', 'dropped', 'open', 'unreadable'])('names what is %s', (name) => {
  expect(shortfallOf(job({ counts: { matched: 2, done: 1, [name]: 1 } }))).toBe(
    `not all events came through: ${name} 1`,
  )
})

it('names what a switch has left as it was', () => {
  const switched = job({ kind: 'rebuild', selection: { switch: true }, counts: { different: 2, older: 1 } })
  expect(shortfallOf(switched)).toBe('1 records were not replaced: made from events that are kept no more')
})

it('names what an ordered subscriber has not been able to take in', () => {
  expect(shortfallOf(job({ kind: 'rebuild', counts: { done: 2, left: 3, keysHeld: 2 } }))).toBe(
    '2 keys stop at what is dead: redrive or drop that, and what waits behind it comes too',
  )
})

it('is of no redrive, and of nothing that has not ended or says why it was stopped', () => {
  const counts = { failed: 1 }
  expect(shortfallOf(job({ kind: 'redrive', counts }))).toBeUndefined()
  expect(shortfallOf(job({ state: 'running', counts }))).toBeUndefined()
  expect(shortfallOf(job({ state: 'stopped', counts }))).toBeUndefined()
})
