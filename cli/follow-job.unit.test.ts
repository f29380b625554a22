import { expect, it } from 'vitest'
import type { Job } from './answers-mending.ts'
import { createCli } from './context.ts'
import { followJob } from './follow-job.ts'

const nowhere = { write: () => undefined, colours: false }

const follow = (...states: string[]) => followAs({}, ...states)

/** Follows a job that says these one after the other, and stays at the last; a minute of waiting takes two looks. */
async function followAs(more: Partial<Job>, ...states: string[]) {
  let looks = 0
  const io = {
    ...{ env: {}, home: '', columns: 80, stdin: async () => '', out: nowhere, err: nowhere },
    ...{ agrees: undefined, interrupted: () => new AbortController().signal, now: () => looks * 31_000 },
  }
  const cli = createCli(io, () => ({}))
  const job = async (): Promise<Job> => ({
    ...{ id: 'j', kind: 'redrive', subscriber: 's', by: 'me', asked: 't', rate: 1, attempt: 1, counts: {} },
    ...{ run: { workflow: 'redrive', run: 'r' }, selection: {} },
    ...more,
    state: states[Math.min(looks++, states.length - 1)] ?? '',
  })
  const { state } = await followJob(cli, { job }, 'j')
  return { state, code: cli.exitCode(), looks }
}

it('waits out a run that was interrupted, for it may be followed by another', async () => {
  expect(await follow('running', 'interrupted', 'running', 'done')).toEqual({
    state: 'done',
    code: 0,
    looks: 4,
  })
})

it('gives up when nobody has resumed it for a minute', async () => {
  expect(await follow('interrupted')).toEqual({ state: 'interrupted', code: 1, looks: 3 })
})

it.each(['stopped', 'paused'])('ends when it is %s', async (state) => {
  expect(await follow('running', state)).toEqual({ state, code: 1, looks: 2 })
})

it.each(['died', 'skipped', 'blocked', 'unreadable'])('fails when it is done, and some %s', async (name) => {
  expect(await followAs({ counts: { matched: 3, sent: 2, done: 1, [name]: 1 } }, 'done')).toMatchObject({
    code: 1,
  })
  expect(await followAs({ counts: { matched: 3, already: 1, done: 2, [name]: 0 } }, 'done')).toMatchObject({
    code: 0,
  })
})

it('fails when it is done, and not whole', async () => {
  expect(await followAs({ incomplete: 'not all events came through: dead 1' }, 'done')).toMatchObject({
    state: 'done',
    code: 1,
  })
})
