import { describe, expect, it } from 'vitest'
import { buildStatusChanged } from '../../events/build.status-changed.ts'
import { limits } from '../../events/envelope.ts'
import { githubPush } from '../../events/github.push.ts'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { only, type Route } from '../../events/route.ts'
import { byBus, byHttp, emit, envelope, push, queued, told } from '../../test/arrivals.ts'
import { routeOf, testRoutes } from '../../test/world.ts'
import { derivedId } from '../identity.ts'
import { admit } from './admit.ts'
import type { Arrival } from './arrival.ts'

const admitted = (arrival: Arrival, routes: readonly Route[] = testRoutes) => {
  const admission = admit(arrival, routes)
  if (admission.verdict !== 'admitted') throw new Error(JSON.stringify(admission))
  return admission
}
const eventOf = (arrival: Arrival) => admitted(arrival).event
const faultsOf = (arrival: Arrival) => {
  const admission = admit(arrival, testRoutes)
  return admission.verdict === 'refused' ? admission.faults : []
}

describe('what an outside system may say of its event', () => {
  it('its key, story, cause, trace and hops are taken over', () => {
    const said = {
      partitionkey: 'issue/1',
      correlationid: 'story',
      causationid: 'before',
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      hops: 3,
      subject: 'refs/heads/main',
    }
    expect(eventOf(byHttp(push('p', said)))).toMatchObject(said)
  })

  it('what it leaves out: the key follows from the data, the story is its own, the time is that of receipt', () => {
    const { partitionkey, correlationid, hops, time, received } = eventOf(byHttp(push('p')))
    expect({ partitionkey, correlationid, hops }).toEqual({
      partitionkey: 'repository/Codertocat/Hello-World',
      correlationid: 'p',
      hops: 0,
    })
    expect(time).toBe(received)
  })

  it.each(['project', 'actor', 'dataref', 'replay', 'replayid'])('%s it may not set', (name) => {
    expect(faultsOf(byHttp(push('p', { [name]: 'mine' })))).toMatchObject([{ path: name, got: '"mine"' }])
  })

  it('a sequence is kept as data of its own and orders nothing', () => {
    const event = eventOf(byHttp(push('p', { sequence: 7, tone: 'loud' })))
    expect(event.sequence).toBeUndefined()
    expect(event.extensions).toEqual({ sequence: 7, tone: 'loud' })
  })

  it.each(['1970-01-01T00:00:00Z', '2099-12-31T23:59:59+14:00'])(
    'a time of %s is its claim, and nothing of ours goes by it',
    (time) => {
      const event = eventOf(byHttp(push('p', { time })))
      expect(event.time).toBe(time)
      expect(event.received).toBe('2026-01-01T12:00:00.000Z')
    },
  )

  it.each([
    ['id', 'ä'.repeat(129)],
    ['id', ''],
    ['id', 'a\nb'],
    ['type', 't'.repeat(257)],
    ['source', 's'.repeat(513)],
    ['source', 'a b'],
    ['partitionkey', '€'.repeat(86)],
    ['correlationid', 'c'.repeat(257)],
    ['hops', 17],
    ['hops', -1],
    ['traceparent', '00-1-2-3'],
    ['time', 'yesterday'],
    ['hops', true],
    ['data_base64', 'AAAA'],
    ['Shouting', 'x'],
  ])('%s of %j is refused, naming it', (name, value) => {
    const [fault] = faultsOf(byHttp(push('p', { [name]: value })))
    expect(fault).toMatchObject({ path: name === 'Shouting' ? '(whole)' : name })
  })

  it.each([
    ['id', 'ä'.repeat(128)],
    ['type', 't'.repeat(256)],
    ['source', 's'.repeat(512)],
    ['hops', 16],
  ])('%s at its limit is fine: sizes are bytes', (name, value) => {
    expect(eventOf(byHttp(push('p', { [name]: value })))).toMatchObject({ [name]: value })
  })

  it('an attribute that is null is one that is not there; null data is data', () => {
    expect(eventOf(byHttp(push('p', { subject: null, traceparent: null })))).not.toHaveProperty(
      'subject',
      null,
    )
    expect(eventOf(byHttp({ ...push('p'), type: 'unknown.thing', data: null }))).toMatchObject({ data: null })
  })

  it('half a character anywhere is refused: no store takes it as a key', () => {
    const half = { text: 'a\ud800' }
    expect(faultsOf(byHttp({ ...push('p'), type: 'unknown.thing', data: half }))).toMatchObject([
      { path: '(whole)', expected: 'whole characters' },
    ])
    const whole = { text: '🙂 and the text \\ud800' }
    expect(eventOf(byHttp({ ...push('p'), type: 'unknown.thing', data: whole }))).toMatchObject({
      data: whole,
    })
  })

  it('what only we may set is refused in our own words', () => {
    expect(faultsOf(byHttp(push('p', { project: 'other' })))).toMatchObject([
      { path: 'project', expected: expect.stringContaining('taken from the credential') },
    ])
  })

  it('attributes beyond what an item of the history holds are refused, not tried for ever', () => {
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`x${n}`, 'v'.repeat(1000)]))
    expect(faultsOf(byHttp(push('p', many)))).toMatchObject([{ path: '(extensions)' }])
    expect(faultsOf(byHttp(push('p', { ['x'.repeat(400_000)]: 1 })))).toMatchObject([
      { path: '(extensions)' },
    ])
  })

  it('data that nests deeper than anybody reads is refused, however deep the stack', () => {
    const deep = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels))
    const given = (data: unknown) =>
      byHttp(undefined, { content: { kind: 'incoming', event: push('p', { type: 'a.b', data }) } })
    expect(admit(given(deep(100)), []).verdict).toBe('admitted')
    for (const levels of [600, 2500, 100_000])
      expect(admit(given(deep(levels)), [])).toMatchObject({
        verdict: 'refused',
        reason: 'invalid',
        faults: [{ path: '(whole)', got: 'more' }],
      })
  })

  it('a body that is neither JSON nor text is kept as base64, and said so', () => {
    const event = eventOf(byHttp(push('p', { type: 'a.b', data: undefined, data_base64: '/w==' })))
    expect(event).toMatchObject({ data: '/w==', database64: true })
  })

  it('what does not fit its schema is refused with path, expected and got', () => {
    const data = { ...githubPush.example, ref: 'main', commits: [{ id: 7 }] }
    expect(faultsOf(byHttp(push('p', { data })))).toEqual(
      expect.arrayContaining([
        { path: 'data.ref', expected: 'a full ref such as refs/heads/main', got: '"main"' },
        { path: 'data.commits.0.id', expected: 'string', got: '7' },
        { path: 'data.commits.0.author', expected: 'object', got: 'nothing' },
      ]),
    )
  })

  it('a type that nobody declared is recorded as it is, marked unknown, and goes to who asked for its name', () => {
    const { event, expects } = admitted(byHttp(push('p', { type: 'acme.ordered', data: { any: 1 } })))
    expect(event).toMatchObject({ unknown: true, data: { any: 1 }, partitionkey: 'p' })
    expect(event.dataversion).toBeUndefined()
    expect(expects).toEqual(['shop'])
  })
})

describe('forging', () => {
  const ours = { type: 'repository.analyzed', data: repositoryAnalyzed.example }

  it.each([
    ['http', byHttp(push('p', ours))],
    ['bus', byBus(push('p', ours))],
    ['bus', queued(envelope(repositoryAnalyzed.example, { 'detail-type': 'repository.analyzed' }))],
  ])('a type of ours from outside is refused at the door %s', (door, arrival) => {
    expect(arrival.door).toBe(door)
    expect(admit(arrival, testRoutes)).toMatchObject({ reason: 'forged', type: 'repository.analyzed' })
  })

  it.each([
    ['http', byHttp(push('p', { source: '/loadpath/analyze' }))],
    ['bus', byBus(push('p', { source: '/loadpath/analyze' }))],
  ])('a source of ours from outside is refused at the door %s: its ids can be foreseen', (_, arrival) => {
    expect(admit(arrival, testRoutes)).toMatchObject({ reason: 'forged', faults: [{ path: 'source' }] })
  })

  it('a type of the outside is refused from a handler: we do not speak for others', () => {
    const arrival = queued(emit({ source: 's', id: 'p' }, { type: 'github.push', data: githubPush.example }))
    expect(admit(arrival, testRoutes)).toMatchObject({ reason: 'invalid', faults: [{ path: 'event.type' }] })
  })
})

describe('an event that a handler emits', () => {
  const cause = { source: 'https://github.com/octo/hello', id: 'push-1', correlationid: 'story', hops: 4 }

  it('has its identity, story, cause and hops from the event that was being handled', () => {
    const { event, emitter } = admitted(queued(emit(cause, { step: 2, subject: 'main' })))
    expect(event).toMatchObject({
      source: '/loadpath/analyze',
      id: derivedId({ project: 'main', source: cause.source, id: cause.id }, 'analyze', 2),
      correlationid: 'story',
      causationid: 'push-1',
      cause: { source: cause.source, id: 'push-1', by: 'analyze' },
      hops: 5,
      subject: 'main',
    })
    expect(emitter).toEqual({
      project: 'main',
      source: cause.source,
      id: 'push-1',
      subscriber: 'analyze',
      replay: '',
    })
  })

  it('says by which replay it was made, where that was one', () => {
    for (const frame of [emit(cause), told({}, { cause: { ...cause, correlationid: 'c', hops: 0 } })]) {
      expect(eventOf(queued(frame)).cause).not.toHaveProperty('replay')
      const again = eventOf(queued({ ...frame, replay: 'r1' }))
      expect(again.cause).toEqual({ source: cause.source, id: cause.id, by: frame.by, replay: 'r1' })
      expect(again.id).toBe(eventOf(queued(frame)).id)
    }
  })

  it('goes on with the trace of its cause, whichever way it is told', () => {
    const traced = { cause: { ...cause, traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` } }
    for (const frame of [emit(cause, {}, traced), told({}, traced)])
      expect(eventOf(queued(frame)).traceparent).toBe(traced.cause.traceparent)
    expect(eventOf(queued(emit(cause))).traceparent).toBeUndefined()
  })

  it('is refused without a cause', () => {
    expect(faultsOf(queued(emit(undefined)))).toMatchObject([{ path: 'cause', got: 'nothing' }])
  })

  it('may be the 16th hop of its story, and not the 17th: then it is a loop', () => {
    expect(eventOf(queued(emit({ ...cause, hops: 15 }))).hops).toBe(16)
    expect(admit(queued(emit({ ...cause, hops: limits.hops })), testRoutes)).toMatchObject({
      verdict: 'refused',
      reason: 'loop',
      faults: [{ path: 'hops', expected: 'at most 16', got: '17' }],
    })
  })

  it('has another identity when a replay means to emit anew', () => {
    const ids = ['', 'r1'].map((again) => eventOf(queued(emit(cause, {}, { again }))).id)
    expect(new Set(ids).size).toBe(2)
  })
})

describe('an event that a committed change tells', () => {
  const outbox = {
    door: 'outbox',
    project: 'main',
    by: 'api',
    actor: 'user:k1',
    partitionkey: 'build/octo/hello/main',
    sequence: 3,
    event: { type: 'build.status-changed', data: buildStatusChanged.example, step: 0 },
  }

  it('of a command has no cause, its own story, and the key, sequence and person of the change', () => {
    const event = eventOf(queued(outbox))
    expect(event).toMatchObject({
      partitionkey: 'build/octo/hello/main',
      sequence: 3,
      actor: 'user:k1',
      hops: 0,
      correlationid: event.id,
    })
    expect(event.cause).toBeUndefined()
  })

  it('of a command is one event per version and index, however often it is sent', () => {
    const id = (given: object) => eventOf(queued({ ...outbox, ...given })).id
    expect(id({})).toBe(id({ actor: 'user:k2' }))
    const others = [{}, { sequence: 4 }, { partitionkey: 'k' }, { event: { ...outbox.event, step: 1 } }]
    expect(new Set(others.map(id)).size).toBe(4)
  })
})

describe('who expects an event', () => {
  it('is decided by its type and by conditions on the newest, parsed data', () => {
    const picky: Route = { ...routeOf('analyze'), when: [only(githubPush, ({ deleted }) => deleted)] }
    const { deleted: _, ...example } = githubPush.example
    expect(admitted(byHttp(push('p', { data: example })), [picky]).expects).toEqual([])
    const data = { ...githubPush.example, deleted: true }
    expect(admitted(byHttp(push('p', { data })), [picky]).expects).toEqual(['analyze'])
  })

  it('is nobody when it is a signed body that came before', () => {
    expect(admitted(byHttp(push(), { duplicateof: 'earlier' }))).toMatchObject({
      expects: [],
      event: { duplicateof: 'earlier' },
    })
  })

  it('does not change what is kept: data stays as it was received', () => {
    const { deleted: _, ...example } = githubPush.example
    expect(eventOf(byHttp(push('p', { data: example }))).data).toEqual(example)
  })
})
