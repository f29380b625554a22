import { describe, expect, it } from 'vitest'
import { byHttp, push, queued, tests } from '../../test/arrivals.ts'
import { routeOf, world } from '../../test/world.ts'
import { Failure } from '../errors.ts'
import type { HandlerAny } from '../event/handler.ts'
import { secondsUntilAgain } from '../gate/record.ts'
import { consume } from './consume.ts'

/** A delivery that is received again and again. */
async function delivery() {
  const w = world()
  const recorded = await w.one(byHttp(push()))
  const { project, source, id } = 'event' in recorded ? recorded.event : expect.fail()
  const [body = ''] = w.stores.queues.take('analyze')
  let receiveCount = 0
  const received = async (handler: HandlerAny) => {
    receiveCount++
    return (await consume(routeOf('analyze'), handler, [{ body, receiveCount }], w.deps))[0]
  }
  const key = { project, source, id, subscriber: 'analyze', replay: '' }
  return { received, mark: async () => (await w.stores.history.getDeliveries([key]))[0] }
}

const fails: HandlerAny = async () => {
  throw new Error('not now')
}
const works: HandlerAny = async () => []

describe('what newer code wrote', () => {
  const newer: HandlerAny = async () => {
    throw new Failure('NewerVersion', 'version 2')
  }

  it('is not given up, however often it is received: it comes again every fifteen minutes', async () => {
    const d = await delivery()
    for (let count = 1; count <= 6; count++)
      expect(await d.received(newer)).toMatchObject({ outcome: 'retrying', again: 900 })
    expect(await d.mark()).toMatchObject({ state: 'retrying', attempts: 0, reason: 'version 2' })
  })

  it('is run once that code is here, although it was received more often than it may be tried', async () => {
    const d = await delivery()
    for (let count = 1; count <= 4; count++) await d.received(newer)
    expect(await d.received(works)).toMatchObject({ outcome: 'done' })
  })

  it('and then fails is dead: its attempts are over', async () => {
    const d = await delivery()
    for (let count = 1; count <= 4; count++) await d.received(newer)
    expect(await d.received(fails)).toMatchObject({ outcome: 'dead' })
    expect(await d.mark()).toMatchObject({ state: 'dead', attempts: 5 })
  })

  it('waits although an attempt failed before, when an older release came back', async () => {
    const d = await delivery()
    await d.received(fails)
    for (let count = 2; count <= 5; count++)
      expect(await d.received(newer)).toMatchObject({ outcome: 'retrying', again: 900 })
    expect(await d.mark()).toMatchObject({ attempts: 0, reason: 'version 2' })
  })

  it('stays on the record queue for fifteen minutes, and anything else for as long as that says', async () => {
    const w = world()
    const newer = await w.one(byHttp(tests('t', { dataschema: 'https://x/test.completed/9' })))
    expect(newer).toMatchObject({ status: 'unavailable', error: { code: 'NewerVersion' } })
    expect(secondsUntilAgain(newer)).toBe(900)
    expect(secondsUntilAgain(await w.one(queued('garbage')))).toBeUndefined()
    w.failing('history', 'putPage')
    expect(secondsUntilAgain(await w.one(byHttp(push())))).toBeUndefined()
    expect(secondsUntilAgain(undefined)).toBeUndefined()
  })
})
