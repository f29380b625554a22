import { expect, it } from 'vitest'
import { createApi } from './api.ts'
import { ApiError, sender, type Transport } from './client.ts'
import { createCli } from './context.ts'
import { UsageError } from './faults.ts'
import { askOnce } from './steadily.ts'

const nowhere = { write: () => undefined, colours: false }
const io = {
  ...{ env: {}, home: '', columns: 80, stdin: async () => '', out: nowhere, err: nowhere, now: () => 0 },
  ...{ agrees: undefined, interrupted: () => new AbortController().signal },
}
const cli = createCli(io, () => ({}))

const job = {
  ...{ id: 'j', kind: 'replay', subscriber: 's', by: 'me', asked: 't', rate: 1, state: 'running' },
  ...{ attempt: 1, run: { workflow: 'replay', run: 'r' }, selection: {}, counts: {} },
}

it.each([
  ['replay', '/v1/replays'],
  ['rebuild', '/v1/rebuilds'],
  ['redriveAll', '/v1/dead-letters/redrive'],
] as const)('%s is asked for again under the same key when no answer came', async (name, path) => {
  const seen: (string | undefined)[] = []
  const transport: Transport = async (request) => {
    expect(request.path).toBe(path)
    seen.push(request.headers['idempotency-key'])
    return seen.length % 2 === 1
      ? { status: 503, text: '{"message":"Service Unavailable"}' }
      : { status: 202, text: JSON.stringify(job) }
  }
  const api = createApi(sender(transport, 'http://x', 'k'))
  const ask = () => askOnce(cli, (key) => api[name]({ subscriber: 's' }, key))
  expect(await ask()).toMatchObject({ id: 'j' })
  expect(await ask()).toMatchObject({ id: 'j' })
  expect(seen[0]).toMatch(/^[0-9a-f-]{36}$/)
  expect(seen[1]).toBe(seen[0])
  expect(seen[3]).toBe(seen[2])
  expect(seen[2]).not.toBe(seen[0])
})

it('a refusal is not asked for again', async () => {
  for (const error of [new ApiError(422, { title: 'Invalid' }, ''), new UsageError('no')]) {
    let calls = 0
    const asked = askOnce(cli, async () => {
      calls++
      throw error
    })
    await expect(asked).rejects.toThrow(error.message)
    expect(calls).toBe(1)
  }
})
