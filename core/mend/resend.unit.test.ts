import { expect, it } from 'vitest'
import { mendWorld } from '../../test/mending.ts'
import { resend } from './resend.ts'

it('what no queue took is not what was seen before: only who looks again sends it', async () => {
  const w = mendWorld()
  await w.died(['p'])
  const find = async () => {
    const { key, delivery, stored } = await w.find('p')
    return { key, delivery, event: stored?.event ?? expect.fail('an event') }
  }
  const before = await find()
  const send = async (item: typeof before) => resend('analyze', [item], 'user:ann', w.deps)
  w.failing('queues', 'send')
  expect(await send(before)).toMatchObject([{ outcome: 'failed' }])
  w.mend()
  expect(await w.mark('p')).toMatchObject({ state: 'dead', reason: 'no such branch', resumed: 1 })
  expect(await send(before)).toEqual([{ outcome: 'already' }])
  expect(await send(await find())).toEqual([{ outcome: 'sent' }])
  expect(await w.mark('p')).toMatchObject({ state: 'retrying', resumed: 2 })
})
