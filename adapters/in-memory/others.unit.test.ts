import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { bodiesContract } from '../contract/bodies.ts'
import { ephemeralContract } from '../contract/ephemeral.ts'
import { queuesContract } from '../contract/queues.ts'
import { minute } from '../contract/samples.ts'
import { stacksContract } from '../contract/stacks.ts'
import { workflowsContract } from '../contract/workflows.ts'
import { inMemoryBodies } from './bodies.ts'
import { inMemoryEphemeral } from './ephemeral.ts'
import { inMemoryQueues } from './queues.ts'
import { inMemoryStacks } from './stacks.ts'
import { inMemoryWorkflows } from './workflows.ts'

describe('ephemeral', () =>
  ephemeralContract(() => {
    let now = minute(0)
    return {
      ephemeral: inMemoryEphemeral({ clock: () => now }),
      setTime: (time) => {
        now = time
      },
    }
  }))

describe('queues', () => {
  queuesContract(() => {
    const ordered = new Set<string>()
    const queues = inMemoryQueues({ ordered: (queue) => ordered.has(queue) })
    return {
      queues,
      fresh: async () => randomUUID(),
      freshOrdered: async () => {
        const queue = randomUUID()
        ordered.add(queue)
        return queue
      },
      drain: async (queue) => queues.take(queue),
    }
  })

  test('a deduplication id is forgotten after five minutes', async () => {
    let now = minute(0)
    const queues = inMemoryQueues({ ordered: () => true, clock: () => now })
    const message = { body: 'b', group: 'g', dedupe: 'd' }
    for (const time of ['12:00:00.000', '12:04:59.999', '12:05:00.000', '12:09:00.000']) {
      now = `2026-01-01T${time}Z`
      expect(await queues.send('q', [message])).toEqual([])
    }
    expect(queues.take('q')).toEqual(['b', 'b'])
  })

  test('what failed is not remembered, and may be sent again', async () => {
    const queues = inMemoryQueues({ ordered: () => true })
    const message = { group: 'g', dedupe: 'd' }
    const failures = await queues.send('q', [{ ...message, body: '' }])
    expect(failures).toMatchObject([{ index: 0 }])
    await queues.send('q', [{ ...message, body: 'b' }])
    expect(queues.take('q')).toEqual(['b'])
  })

  test('what SQS would refuse is refused by its index, and the rest is sent', async () => {
    const queues = inMemoryQueues()
    const failures = await queues.send('record', ['a', '', 'x'.repeat(1_048_577), 'b'])
    expect(failures.map(({ index }) => index)).toEqual([1, 2])
    expect(queues.take('record', 1)).toEqual(['a'])
    expect(await queues.depth('record')).toBe(1)
  })
})

describe('bodies', () =>
  bodiesContract(() => {
    const bodies = inMemoryBodies()
    return { bodies, expireBody: async (key) => bodies.remove(key) }
  }))

describe('stacks', () =>
  stacksContract(() => {
    const stacks = inMemoryStacks()
    return { stacks, deploy: async (...given) => stacks.deploy(...given) }
  }))

describe('workflows', () =>
  workflowsContract(() => {
    const workflows = inMemoryWorkflows({ clock: () => minute(0) })
    return {
      workflows,
      waiting: 'test-and-validate',
      tokenOf: async (name) => {
        workflows.ask(`token of ${name}`, (answer) => workflows.end('test-and-validate', name, answer))
        return `token of ${name}`
      },
    }
  }))
