import { describe, expect, it } from 'vitest'
import { emit, status, told } from '../test/arrivals.ts'
import { event } from '../test/fates.ts'
import { noon } from '../test/world.ts'
import { deliveryFrame, eventBridgeEnvelope, frame, workflowInput } from './frame.ts'

const http = { door: 'http', project: 'main', actor: 'user:k1', received: noon, event: { any: 'thing' } }
const cause = { source: 's', id: 'i', correlationid: 'c', hops: 0 }

describe('a frame on the record queue', () => {
  it.each([
    ['emit', emit(cause)],
    ['emit without a cause, which the gate refuses by name', emit(undefined)],
    ['outbox', told()],
    ['outbox with a cause', told({}, { cause })],
    ['http', http],
    ['http, of a body that came before', { ...http, duplicateof: 'd1' }],
    ['states', status()],
  ])('may be of %s', (_, value) => {
    expect(frame.parse(JSON.parse(JSON.stringify(value)))).toMatchObject(value)
  })

  it('is live and not anew unless it says otherwise', () => {
    expect(frame.parse(emit(cause))).toMatchObject({ replay: '', again: '' })
  })

  it.each([
    ['a door from which only EventBridge comes', { ...http, door: 'bus' }],
    ['no project', { ...http, project: undefined }],
    ['a cause of half an identity', emit({ source: 's' } as never)],
    ['hops below none', emit({ ...cause, hops: -1 })],
    ['a sequence that is no whole number', told({}, { sequence: 1.5 })],
    [
      'an event without a step, which would have no identity',
      { ...emit(cause), event: { type: 'a.b', data: 1 } },
    ],
  ])('is not one with %s', (_, value) => {
    expect(frame.safeParse(value).success).toBe(false)
  })

  it('is never an EventBridge envelope, nor that a frame', () => {
    for (const value of [emit(cause), told(), http, status()])
      expect(eventBridgeEnvelope.safeParse(value).success).toBe(false)
  })
})

describe('a message for a subscriber', () => {
  const message = { event: event('e'), replay: '' }

  it('carries the whole event, the replay, and what is to be known of how it was sent', () => {
    expect(deliveryFrame.parse({ ...message, resent: true, attempt: 2 })).toEqual({
      ...message,
      resent: true,
      attempt: 2,
    })
  })

  it.each([
    ['no replay', { event: event('e') }],
    ['an attempt before the first', { ...message, attempt: 0 }],
    ['an event without identity', { ...message, event: { ...event('e'), id: undefined } }],
  ])('is not one with %s', (_, value) => {
    expect(deliveryFrame.safeParse(value).success).toBe(false)
  })
})

describe('the input of a run', () => {
  const input = {
    workflow: 'w',
    run: 'r',
    attempt: 1,
    replay: '',
    event: { ...cause, project: 'main', type: 'a.b', partitionkey: 'k' },
  }

  it('names the event and not its data, which the functions load from history', () => {
    expect(workflowInput.parse({ ...input, event: { ...input.event, data: 'x' } })).toEqual(input)
  })
})
