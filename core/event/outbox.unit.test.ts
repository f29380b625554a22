import { describe, expect, it } from 'vitest'
import { approvalDecided } from '../../events/approval.decided.ts'
import { approvalRequested } from '../../events/approval.requested.ts'
import { buildStatusChanged } from '../../events/build.status-changed.ts'
import { byteLength } from '../../events/envelope.ts'
import { outboxFrame } from '../frame.ts'
import { outboxItems } from './outbox.ts'

const emits = [
  { type: approvalRequested, data: approvalRequested.example, subject: 'main' },
  { type: approvalRequested, data: { ...approvalRequested.example, question: 'And now?' } },
]
const author = { project: 'main', by: 'count', actor: 'service:count' }

describe('what a change tells, as outbox items', () => {
  it('has the key of the aggregate and its version as sequence, and keeps its order', () => {
    const key = `approval/${approvalRequested.example.approval}`
    expect(outboxItems({ emits, sequence: 7 }, author)).toMatchObject([
      { project: 'main', partitionkey: key, sequence: 7, index: 0, frame: { event: { subject: 'main' } } },
      {
        project: 'main',
        partitionkey: key,
        sequence: 7,
        index: 1,
        frame: { event: { data: { question: 'And now?' } } },
      },
    ])
  })

  it('is framed as the gate reads it, by whom and because of what', () => {
    const cause = { source: 's', id: 'i', correlationid: 'c', hops: 2 }
    for (const { frame } of outboxItems({ emits, sequence: 1 }, { ...author, cause, replay: 'r' }))
      expect(outboxFrame.parse(JSON.parse(JSON.stringify(frame)))).toMatchObject({
        ...author,
        cause,
        replay: 'r',
      })
  })

  it('is nothing when nothing is told', () => {
    expect(outboxItems({ emits: [], sequence: 1 }, author)).toEqual([])
  })

  it('has a key of 256 bytes at most, whatever it is made of', () => {
    const data = { ...buildStatusChanged.example, branch: 'ä'.repeat(1000) }
    const [item] = outboxItems({ emits: [{ type: buildStatusChanged, data }], sequence: 1 }, author)
    expect(byteLength(item?.partitionkey ?? '')).toBeLessThanOrEqual(256)
  })

  it('is refused before the change is committed when it does not fit its schema', () => {
    const data = { ...approvalDecided.example, decision: 'perhaps' } as never
    expect(() => outboxItems({ emits: [{ type: approvalDecided, data }], sequence: 1 }, author)).toThrow(
      expect.objectContaining({
        code: 'Invalid',
        faults: [expect.objectContaining({ path: 'data.decision' })],
      }),
    )
  })

  it('has no two ordered events of one key: nothing would say which comes first', () => {
    const on = (branch: string) => ({
      type: buildStatusChanged,
      data: { ...buildStatusChanged.example, branch },
    })
    expect(() => outboxItems({ emits: [on('a'), on('a')], sequence: 1 }, author)).toThrow(
      'a change tells two ordered events of one key, the second a build.status-changed',
    )
    expect(outboxItems({ emits: [on('a'), on('b'), ...emits], sequence: 1 }, author)).toHaveLength(4)
  })

  it('needs a type that knows what belongs together', () => {
    const { partitionkey: _, ...type } = { ...approvalDecided, type: 'approval.forgotten' }
    expect(() =>
      outboxItems({ emits: [{ type, data: approvalDecided.example }], sequence: 1 }, author),
    ).toThrow('approval.forgotten has no partitionkey')
  })
})
