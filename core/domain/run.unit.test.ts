import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MemoryRecord, MemoryWrite } from '../ports.ts'
import { type Opened, open, runOf, track } from './run.ts'

const status = {
  workflow: 'test-and-validate',
  run: 'abc',
  arn: 'arn:aws:states:us-east-1:123456789012:execution:loadpath-dev-test-and-validate:abc',
  started: '2026-01-01T12:00:01.000Z',
}
const started = { type: 'workflow.started', data: status } as const
const succeeded = {
  type: 'workflow.succeeded',
  data: { ...status, ended: '2026-01-01T12:00:09.000Z' },
} as const
const failed = {
  type: 'workflow.failed',
  data: { ...status, ended: '2026-01-01T12:00:08.000Z', error: 'States.Timeout', cause: 'too long' },
} as const
const opened: Opened = {
  workflow: 'test-and-validate',
  run: 'abc',
  started: '2026-01-01T12:00:00.000Z',
  event: { source: 'https://github.com/octo/hello', id: 'd1', type: 'github.push' },
  attempt: 2,
  replay: 'r1',
}

type Step = typeof started | typeof succeeded | typeof failed | Opened

/** What is in memory after these, one after another. */
function remembered(...steps: readonly Step[]): MemoryRecord | undefined {
  let record: MemoryRecord | undefined
  for (const step of steps) {
    const write: MemoryWrite | undefined =
      'type' in step ? track('main', step, record) : open('main', step, record)
    if (write === undefined) continue
    expect(write.version).toBe((record?.version ?? 0) + 1)
    record = JSON.parse(JSON.stringify(write)) as MemoryRecord
  }
  return record
}

describe('a run', () => {
  it('that was opened and has begun knows both: what for, and since when', () => {
    expect(remembered(opened, started)).toEqual({
      project: 'main',
      kind: 'run',
      name: 'test-and-validate/abc',
      version: 2,
      value: { ...opened, ...status, status: 'running' },
      place: { list: 'runs/open', order: status.started },
    })
  })

  it('that has ended is in the other list, still by its start', () => {
    const record = remembered(opened, started, failed)
    expect(record?.place).toEqual({ list: 'runs/ended', order: status.started })
    expect(runOf(record)).toEqual({ ...opened, ...failed.data, status: 'failed' })
  })

  it('that somebody started past Loadpath is known without an event', () => {
    expect(runOf(remembered(succeeded))).toEqual({
      ...succeeded.data,
      status: 'succeeded',
      attempt: 1,
      replay: '',
    })
  })

  it('that has ended is not reopened, neither by a start nor by being opened', () => {
    expect(runOf(remembered(succeeded, started))?.status).toBe('succeeded')
    expect(runOf(remembered(failed, opened))?.status).toBe('failed')
  })

  it('has one end: a second one changes nothing', () => {
    expect(remembered(opened, succeeded, failed)).toEqual(remembered(opened, succeeded))
    expect(remembered(opened, failed, succeeded)).toEqual(remembered(opened, failed))
  })

  it('is not written again for what is known', () => {
    expect(remembered(opened, opened, started, started, succeeded, succeeded, started)?.version).toBe(3)
  })

  it('ends the same whatever the order, and however often it is told', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(succeeded, failed),
        fc.array(fc.nat(2), { maxLength: 6 }),
        fc.infiniteStream(fc.nat()),
        (end, extra, order) => {
          const all: Step[] = [opened, started, end]
          const told = [...all, ...extra.flatMap((index) => all[index] ?? [])]
            .map((step) => ({ step, rank: order.next().value ?? 0 }))
            .sort((a, b) => a.rank - b.rank)
            .map(({ step }) => step)
          const { version: _, ...expected } = remembered(...all) ?? { version: 0 }
          expect(remembered(...told)).toMatchObject(expected)
        },
      ),
    )
  })

  it('refuses a record that is none', () => {
    expect(() =>
      runOf({ project: 'main', kind: 'run', name: 'x', version: 1, value: { status: 'lost' } }),
    ).toThrow()
  })
})
