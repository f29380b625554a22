import { describe, expect, it } from 'vitest'
import { event } from '../test/fates.ts'
import { traceparentOf } from './trace-context.ts'

const traceIdOf = (traceparent: string) => traceparent.split('-')[1]

describe('the traceparent of an event', () => {
  it('is its own where the sender had one', () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`
    expect(traceparentOf(event('e', { traceparent }))).toBe(traceparent)
  })

  it('is made where there is none, in the form of W3C', () => {
    expect(traceparentOf(event('e'))).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  })

  it('is of one trace for all events of a story, with a span for each of them', () => {
    const first = traceparentOf(event('e'))
    const next = traceparentOf(event('f', { correlationid: 'e' }))
    expect(traceIdOf(next)).toBe(traceIdOf(first))
    expect(next).not.toBe(first)
  })

  it('is of another trace in another project, even for the same story id', () => {
    expect(traceIdOf(traceparentOf(event('e', { project: 'shop' })))).not.toBe(
      traceIdOf(traceparentOf(event('e'))),
    )
  })
})
