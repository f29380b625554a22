import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { idempotencyKey } from '../../core/identity.ts'
import { commandLine, queueOf, subscription, untilPauseIsSeen } from './operator.ts'
import { deliveryTo, deployedStage, deployments, eventually } from './stage.ts'

/** What is held back and what has got lost: nothing of either is forgotten, and each comes once. */

const stage = deployedStage()
const { loadpath, said } = commandLine(stage)

type Event = { source: string; id: string }
const keyOf = ({ source, id }: Event) => idempotencyKey({ project: 'main', source, id }, 'notify', '')
const statesOf = (events: readonly Event[]) =>
  Promise.all(
    events.map(
      async ({ source, id }) =>
        deliveryTo(await stage.history.fate({ project: 'main', source, id }), 'notify')?.state,
    ),
  )
const each = <T>(events: readonly unknown[], value: T): T[] => events.map(() => value)

let outside: Awaited<ReturnType<typeof subscription>>
beforeAll(async () => {
  outside = await subscription(stage)
})
afterAll(() => outside.end())

describe('subscribers that are paused', () => {
  const repository = `octo/${randomUUID().slice(0, 8)}`
  const because = 'the mail relay is being moved'
  const declare = async (from: number, to: number) => {
    for (let version = from; version <= to; version++) {
      const declared = { repository, deployBranch: `release-${version}`, gates: [] }
      expect((await stage.call('POST', '/v1/repositories', declared)).body).toMatchObject({ version })
    }
  }
  const standing = async (name: string) => {
    const { items } = await said('subscribers')
    return items.find(({ subscriber }: { subscriber: string }) => subscriber === name)
  }

  beforeAll(async () => {
    // of a history that has begun
    await declare(1, 1)
    await eventually(async () =>
      expect(await said('repositories', 'changes', repository)).toMatchObject({ version: 1 }),
    )
    expect(await loadpath('pause', 'notify', '--reason', because)).toMatchObject({
      code: 0,
      out: 'notify is paused.\n',
    })
    expect((await loadpath('pause', 'track-repository')).code).toBe(0)
    expect(await loadpath('pause', 'redrive')).toMatchObject({ code: 1 })
    await untilPauseIsSeen()
  })
  afterAll(async () => {
    for (const name of ['notify', 'track-repository']) await loadpath('resume', name)
  })

  it('have what comes for them parked, which is sent on at a rate, each once', async () => {
    const events = deployments(15)
    await stage.put(events)
    await eventually(async () => expect(await statesOf(events)).toEqual(each(events, 'parked')))
    const before = await standing('notify')
    expect(before).toMatchObject({ paused: { reason: because, by: expect.stringMatching(/^user:/) } })
    // what the sweep tells of other tests is for notify too
    expect(before.open.parked).toBeGreaterThanOrEqual(15)
    const { parked } = before.open
    expect((await loadpath('subscribers')).out).toMatch(
      new RegExp(`notify +function +paused +\\d+ +0 +${parked} +0 +user:.*: ${because}`),
    )
    expect(await outside.times(events.map(keyOf))).toEqual(each(events, 0))

    const { items } = await said('resume', 'notify', '--rate', '5')
    expect(items).toMatchObject([{ subscriber: 'notify', changed: true, job: expect.any(String) }])
    // five a second: the last go two seconds after the first
    expect(await outside.once(events.map(keyOf))).toBeGreaterThan(1000)
    expect(await statesOf(events)).toEqual(each(events, 'done'))
    const job = await said('jobs', 'show', items[0].job, '--wait')
    expect(job).toMatchObject({ state: 'done', rate: 5 })
    expect(job.counts.sent).toBeGreaterThanOrEqual(15)
    expect(job.counts.done).toBe(job.counts.sent)
    const after = await standing('notify')
    expect(after).toMatchObject({ open: { parked: 0, dead: 0 } })
    expect(after.paused).toBeUndefined()
    await outside.once(events.map(keyOf))
  })

  it('keep the order where their route is ordered', async () => {
    await declare(2, 5)
    await eventually(async () =>
      expect(await standing('track-repository')).toMatchObject({ ordered: true, open: { parked: 4 } }),
    )
    expect(await said('repositories', 'changes', repository)).toMatchObject({ version: 1 })
    await said('resume', 'track-repository', '--rate', '2')
    // amid what is sent on
    await declare(6, 8)
    const found = await eventually(async () => {
      const changes = await said('repositories', 'changes', repository)
      expect(changes).toMatchObject({ version: 8, since: 1 })
      return changes
    }, 60)
    // each is built upon the one before it: had any overtaken another, that one would be dead
    expect(found.steps.map(({ version }: { version: number }) => version)).toEqual([8, 7, 6, 5, 4, 3, 2, 1])
    expect(found.steps[0].changes).toEqual([
      { path: '/deployBranch', before: 'release-7', after: 'release-8' },
    ])
    expect(await standing('track-repository')).toMatchObject({ open: { parked: 0, dead: 0, retrying: 0 } })
  })
})

describe('the books', () => {
  /** The books since a time, of all that is not on its way. */
  const balance = async (since: string, ...more: string[]) => {
    const { code, out } = await loadpath('balance', '--since', since, '--patience', '0s', '--json', ...more)
    return { code, ...JSON.parse(out) }
  }
  const balanced = (since: string) =>
    eventually(async () => {
      const books = await balance(since)
      expect(books).toMatchObject({ code: 0, verdict: 'balanced', imbalances: [] })
      return books
    })

  it('name a message that somebody has deleted from a queue, and send it on', async () => {
    const since = new Date().toISOString()
    const events = deployments(3)
    const [lost] = events
    if (lost === undefined) throw new Error('one was to be lost')
    const queue = queueOf(stage, 'notify')
    await queue.turn('off')
    try {
      await stage.put(events)
      await queue.take([lost.id])
      // what lies in a queue is no loss
      expect(await balance(since)).toMatchObject({ code: 0, verdict: 'balanced' })
    } finally {
      await queue.turn('on')
    }
    await eventually(async () =>
      expect((await statesOf(events)).toSorted()).toEqual(['done', 'done', undefined]),
    )

    const found = await eventually(async () => {
      const books = await balance(since)
      expect(books).toMatchObject({ code: 1, verdict: 'missing', sheet: { total: { missing: 1 } } })
      return books
    })
    expect(found.sheet.lost).toMatchObject([{ id: lost.id, subscriber: 'notify', standing: 'missing' }])
    expect((await loadpath('balance', '--since', since, '--patience', '0s')).out).toMatch(
      new RegExp(`missing +notify +deployment.failed +${lost.id}`),
    )

    const mended = await balance(since, '--mend')
    expect(mended).toMatchObject({
      code: 0,
      mended: [{ id: lost.id, subscriber: 'notify', outcome: 'sent' }],
    })
    await outside.once(events.map(keyOf))
    const { sheet } = await balanced(since)
    expect(sheet).toMatchObject({ lost: [], subscribers: { notify: { missing: 0, dead: 0 } } })
    expect(sheet.subscribers.notify.done).toBeGreaterThanOrEqual(3)
  })

  it('send it on where order is kept, too, though the queue has seen it a moment ago', async () => {
    const since = new Date().toISOString()
    const repository = `octo/${randomUUID().slice(0, 8)}`
    const queue = queueOf(stage, 'track-repository')
    await queue.turn('off')
    try {
      await stage.call('POST', '/v1/repositories', { repository, deployBranch: 'main', gates: [] })
      const id = await eventually(async () => {
        const { body } = await stage.call('GET', `/v1/events?key=repository/${repository}`)
        expect(body.items).toHaveLength(1)
        return body.items[0].id
      })
      await queue.take([id])
    } finally {
      await queue.turn('on')
    }
    await eventually(async () => {
      const { mended } = await balance(since, '--mend')
      expect(mended).toContainEqual(
        expect.objectContaining({ subscriber: 'track-repository', outcome: 'sent' }),
      )
    })
    await eventually(async () =>
      expect(await said('repositories', 'changes', repository)).toMatchObject({ version: 1 }),
    )
    await balanced(since)
  })

  it('name all that lay in a queue which somebody has purged', async () => {
    const since = new Date().toISOString()
    const events = deployments(5)
    const queue = queueOf(stage, 'notify')
    await queue.turn('off')
    try {
      await stage.put(events)
      await queue.purge()
    } finally {
      await queue.turn('on')
    }
    await eventually(async () => {
      const { code, sheet } = await balance(since)
      expect(code).toBe(1)
      // and perhaps what the sweep tells of other tests
      expect(sheet.lost.map(({ id }: Event) => id)).toEqual(
        expect.arrayContaining(events.map(({ id }) => id)),
      )
    })
    expect((await balance(since, '--mend')).code).toBe(0)
    await outside.once(events.map(keyOf))
    await balanced(since)
  })
})
