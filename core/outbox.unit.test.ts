import { describe, expect, it } from 'vitest'
import { approvalDecided } from '../events/approval.decided.ts'
import { buildStatusChanged } from '../events/build.status-changed.ts'
import { byteLength } from '../events/envelope.ts'
import { defineEvent } from '../events/event-type.ts'
import { outboxFrame } from './frame.ts'
import { outboxItems } from './outbox.ts'

const emits = [
  { type: buildStatusChanged, data: buildStatusChanged.example, subject: 'main' },
  { type: buildStatusChanged, data: { ...buildStatusChanged.example, from: 'failing', to: 'passing' } },
] as const
const author = { project: 'main', by: 'count', actor: 'service:count' }

describe('what a change tells, as outbox items', () => {
  it('has the key of the aggregate and its version as sequence, and keeps its order', () => {
    const key = 'build/octo-org/octo-repo/master'
    expect(outboxItems({ emits, sequence: 7 }, author)).toMatchObject([
      { project: 'main', partitionkey: key, sequence: 7, index: 0, frame: { event: { subject: 'main' } } },
      {
        project: 'main',
        partitionkey: key,
        sequence: 7,
        index: 1,
        frame: { event: { data: { to: 'passing' } } },
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

  it('needs a type that knows what belongs together', () => {
    const keyless = defineEvent({ ...approvalDecided, type: 'approval.forgotten' })
    const { partitionkey: _, ...type } = keyless
    expect(() =>
      outboxItems({ emits: [{ type, data: approvalDecided.example }], sequence: 1 }, author),
    ).toThrow('approval.forgotten has no partitionkey')
  })
})
