import { beforeEach, describe, expect, it } from 'vitest'
import { type LaneWorld, laneWorld } from '../../test/lanes.ts'
import { mending } from '../../test/mending.ts'
import { dies } from '../../test/sweeping.ts'
import { quarantine } from '../gate/quarantine.ts'
import { dropDelivery } from '../mend/drop.ts'
import { editDelivery } from '../mend/edit.ts'
import { deliveriesOf } from '../mend/open-delivery.ts'
import { countOpen } from '../sweep/sweep-open.ts'
import { sweepStuck } from '../sweep/sweep-stuck.ts'
import { dropQuarantined } from './quarantine-mend.ts'

describe('a lane that waits for what takes the place of an edited event', () => {
  let l: LaneWorld
  let replacement: string
  beforeEach(async () => {
    l = laneWorld()
    await l.declared('a1', 'a2')
    await l.receive(dies)
    const [found] = await deliveriesOf(l.key('a1'), {}, l.stores.history)
    const { stored } = found ?? {}
    if (found === undefined || stored === undefined) return expect.fail('a delivery')
    // what was decided here is not edited
    const foreign = { ...found, stored: { ...stored, event: { ...stored.event, door: 'http' as const } } }
    const data = { ...Object(stored.event.data), deployBranch: 'mended' }
    replacement = (await editDelivery(foreign, data, 'user:ann', l.deps)).replacement
  })

  const sweep = async () => sweepStuck('main', await countOpen('main', ['line'], l.deps), mending(l).deps)
  const drain = async () => {
    const ran: string[] = []
    for (let n = 0; n < 10 && l.waiting().length > 0; n++)
      await l.receive(async ({ event }) => {
        ran.push(event.id)
        return []
      })
    return ran
  }

  it('goes on when the gate has refused that and somebody drops it from quarantine', async () => {
    const items = await l.stores.memory.outbox('main', `edit/${replacement}`)
    await l.stores.memory.removeFromOutbox(items)
    const refused = {
      project: 'main',
      reason: 'invalid',
      faults: [],
      door: 'edit',
      received: l.clock(),
    } as const
    const raw = JSON.stringify(items[0]?.frame)
    const kept = await quarantine({ ...refused, raw }, l.deps)
    if (kept.status !== 'quarantined') return expect.fail('not quarantined')
    await sweep()
    expect(await drain()).toEqual([])
    const drop = () => dropQuarantined('main', kept.digest, 'user:ann', 'no use', l.deps)
    l.failing('history', 'transition')
    await expect(drop()).rejects.toThrow('down')
    l.mend()
    expect(await drop()).toMatchObject({ outcome: 'already', settled: { state: 'dropped' } })
    const key = { ...l.key('a1'), id: replacement }
    expect((await l.stores.history.getDeliveries([key]))[0]).toMatchObject({
      state: 'dropped',
      reason: 'the gate refused this edit, and user:ann dropped it: no use',
    })
    expect(await sweep()).toMatchObject({ lanes: 1 })
    expect(await drain()).toEqual([l.key('a2').id])
    expect(await l.stores.lanes.lane(l.lane())).toBeUndefined()
  })

  it('goes on when that has died too and is dropped', async () => {
    await mending(l).relayAll()
    await l.receive(dies)
    await l.receive(dies)
    const [found] = await deliveriesOf({ ...l.key('a1'), id: replacement }, {}, l.stores.history)
    if (found === undefined) return expect.fail('a delivery')
    expect(found.delivery.state).toBe('dead')
    expect(await dropDelivery(found, { by: 'user:ann' }, l.deps)).toMatchObject({ outcome: 'dropped' })
    expect(await drain()).toEqual([l.key('a2').id])
    expect(await l.stores.lanes.lane(l.lane())).toBeUndefined()
  })
})
