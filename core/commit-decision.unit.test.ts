import { expect, it, vi } from 'vitest'
import { commitDecision } from './commit-decision.ts'
import { Failure } from './errors.ts'
import type { CommitVerdict } from './ports.ts'

const change = { writes: [], outbox: [] }
const commits = (...verdicts: CommitVerdict[]) =>
  vi.fn(async () => verdicts.shift() ?? expect.fail('one commit too many'))
/** Answers how often it has decided. */
const decides = () => {
  let count = 0
  return async () => ({ change, answer: ++count })
}

it('decides again after a lost race, and answers what was decided last', async () => {
  const raced = commits('version conflict', 'version conflict', 'committed')
  expect(await commitDecision(raced, 'it', decides())).toEqual({ answer: 3, verdict: 'committed' })
})

it('tells what was done already', async () => {
  expect(await commitDecision(commits('done already'), 'it', decides())).toEqual({
    answer: 1,
    verdict: 'done already',
  })
})

it('commits nothing where nothing is to be changed', async () => {
  const nothing = async () => ({ change: undefined, answer: 'as it was' })
  expect(await commitDecision(commits(), 'it', nothing)).toEqual({
    answer: 'as it was',
    verdict: 'nothing to commit',
  })
})

it('is busy after five lost races, and says with what', async () => {
  const losing = commits(...Array.from({ length: 5 }, () => 'version conflict' as const))
  await expect(commitDecision(losing, 'the counter', decides())).rejects.toMatchObject({
    code: 'Busy',
    message: 'others changed the counter 5 times meanwhile: try again',
  })
  expect(losing).toHaveBeenCalledTimes(5)
})

it('does not try again what was refused', async () => {
  const refuses = async () => {
    throw new Failure('Conflict', 'decided otherwise')
  }
  await expect(commitDecision(commits(), 'it', refuses)).rejects.toMatchObject({ code: 'Conflict' })
})
