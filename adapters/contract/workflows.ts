import { randomUUID } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import type { Workflows } from '../../core/ports.ts'

export type WorkflowsFixture = {
  workflows: Workflows
  /** a workflow whose runs wait for a task token; their output is what they are answered */
  waiting: string
  /** the token that a run of it waits for, once it does */
  tokenOf(name: string): Promise<string>
}

/** What every Workflows promises. */
export function workflowsContract(make: () => WorkflowsFixture): void {
  test('a name is started once', async () => {
    const { workflows, waiting } = make()
    const name = randomUUID()
    expect(await workflows.start(waiting, name, { n: 1 })).toBe('started')
    expect(await workflows.start(waiting, name, { n: 2 })).toBe('exists')
    expect(await workflows.describe(waiting, name)).toMatchObject({ input: { n: 1 } })
    await workflows.stop(waiting, name, 'enough')
    expect(await workflows.start(waiting, name, { n: 1 })).toBe('exists')
  })

  test('a run can be seen running and stopped', async () => {
    const { workflows, waiting } = make()
    const name = randomUUID()
    expect(await workflows.describe(waiting, name)).toBeUndefined()
    await workflows.start(waiting, name, { text: 'ü 🦊' })
    const running = await workflows.describe(waiting, name)
    expect(running).toMatchObject({
      workflow: waiting,
      name,
      arn: expect.stringContaining(name),
      status: 'RUNNING',
      started: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      input: { text: 'ü 🦊' },
    })
    expect(running?.ended).toBeUndefined()
    await workflows.stop(waiting, name, 'no longer wanted')
    expect(await workflows.describe(waiting, name)).toMatchObject({
      status: 'ABORTED',
      ended: expect.any(String),
      cause: 'no longer wanted',
    })
    await workflows.stop(waiting, name, 'a second time is no error')
    expect(await workflows.describe(waiting, name)).toMatchObject({ cause: 'no longer wanted' })
    await expect(workflows.stop(waiting, randomUUID(), 'never was')).rejects.toMatchObject({
      name: 'NotFound',
    })
  })

  test('a waiting run goes on with what it is answered, once', async () => {
    const { workflows, waiting, tokenOf } = make()
    const name = randomUUID()
    await workflows.start(waiting, name, {})
    const token = await tokenOf(name)
    expect(await workflows.succeedTask(token, { decision: 'ja, natürlich' })).toBe('answered')
    await vi.waitFor(async () =>
      expect(await workflows.describe(waiting, name)).toMatchObject({
        status: 'SUCCEEDED',
        output: { decision: 'ja, natürlich' },
      }),
    )
    expect(await workflows.succeedTask(token, { decision: 'again' })).toBe('gone')
  })

  test('nobody waits for a token that was never given', async () => {
    const { workflows } = make()
    expect(await workflows.succeedTask(`no-token-${randomUUID()}`, {})).toBe('gone')
  })
}
