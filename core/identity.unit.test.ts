import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { byteLength, limits } from '../events/envelope.ts'
import {
  boundedKey,
  canonicalJson,
  contentDigest,
  derivedId,
  idempotencyKey,
  identityHash,
  identityText,
  isDeeperThan,
  messageGroup,
  runName,
  uuid5,
} from './identity.ts'

/** The same value with the members of every object in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).reverse()
  return Object.fromEntries(members.map(([name, member]) => [name, shuffled(member)]))
}

const identity = fc.record({
  project: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,10}$/),
  source: fc.stringMatching(/^[!-~]{1,20}$/),
  id: fc.stringMatching(/^[ -~]{1,20}$/),
})

describe('canonical JSON', () => {
  it('reads back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('is one text for equal values, whatever the order of their members', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(shuffled(value))).toBe(canonicalJson(value))
      }),
    )
  })

  it('is two texts for values that differ', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const same = canonicalJson(a) === canonicalJson(b)
        expect(same).toBe(
          canonicalJson(JSON.parse(JSON.stringify(a))) === canonicalJson(JSON.parse(JSON.stringify(b))),
        )
        if (same) expect(JSON.parse(JSON.stringify(a))).toEqual(JSON.parse(JSON.stringify(b)))
      }),
    )
  })

  it.each([
    [{ b: 1, a: { d: [], c: null } }, '{"a":{"c":null,"d":[]},"b":1}'],
    [{ a: undefined }, '{}'],
    [[undefined], '[null]'],
    [-0, '0'],
    [1e21, '1e+21'],
    [{ '\u{1f600}': 1, '\ufb33': 2 }, '{"\u{1f600}":1,"\ufb33":2}'],
    [undefined, 'null'],
  ])('of %j is %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text)
  })

  it('keeps a member that is named __proto__', () => {
    expect(canonicalJson(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}')
  })
})

describe('the content of an event', () => {
  const event = { type: 'a.b', subject: 's', data: { x: 1, y: [2] } }

  it('is its type, subject and data, and nothing else', () => {
    const sent = { ...event, time: '2026-01-01T00:00:00Z', traceparent: 't', correlationid: 'c', id: 'i' }
    expect(contentDigest(sent)).toBe(contentDigest(event))
    expect(contentDigest({ ...event, data: { y: [2], x: 1 } })).toBe(contentDigest(event))
    const others = [
      event,
      { ...event, type: 'a.c' },
      { ...event, subject: 't' },
      { ...event, data: { x: 1, y: 2 } },
    ]
    expect(new Set(others.map(contentDigest)).size).toBe(4)
  })

  it('tells no data from null no more than JSON does, and no subject from an empty one', () => {
    expect(contentDigest({ type: 'a.b' })).toBe(contentDigest({ type: 'a.b', data: undefined }))
    expect(contentDigest({ type: 'a.b' })).not.toBe(contentDigest({ type: 'a.b', subject: '' }))
  })
})

describe('an identity', () => {
  it('has a text that no other identity has', () => {
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        expect(identityText(a) === identityText(b)).toBe(
          a.project === b.project && a.source === b.source && a.id === b.id,
        )
      }),
    )
  })

  it('is another one under another source and in another project', () => {
    const one = { project: 'main', source: 'a', id: '1' }
    expect(new Set([one, { ...one, source: 'b' }, { ...one, project: 'shop' }].map(identityHash)).size).toBe(
      3,
    )
  })
})

describe('derived ids', () => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

  it('are version 5 uuids, the same each time', () => {
    fc.assert(
      fc.property(identity, fc.string(), fc.nat(), (cause, by, step) => {
        expect(derivedId(cause, by, step)).toMatch(uuid)
        expect(derivedId(cause, by, step)).toBe(derivedId({ ...cause }, by, step))
      }),
    )
    expect(uuid5('loadpath')).toBe(uuid5('loadpath'))
  })

  it('differ by cause, subscriber, step and by what is emitted anew', () => {
    const cause = { project: 'main', source: 's', id: 'i' }
    const ids = [
      derivedId(cause, 'a', 0),
      derivedId(cause, 'a', 1),
      derivedId(cause, 'b', 0),
      derivedId({ ...cause, id: 'j' }, 'a', 0),
      derivedId({ ...cause, source: 't' }, 'a', 0),
      derivedId({ ...cause, project: 'p' }, 'a', 0),
      derivedId(cause, 'a', 0, 'replay-1'),
    ]
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('of runs are names that Step Functions takes, another one for each replay and attempt', () => {
    const event = { project: 'main', source: 's', id: 'i' }
    const names = [
      runName(event, 'w', '', 1),
      runName(event, 'w', '', 2),
      runName(event, 'w', 'r', 1),
      runName(event, 'v', '', 1),
    ]
    expect(new Set(names).size).toBe(4)
    for (const name of names) expect(name).toMatch(/^[0-9a-f]{32}$/)
  })

  it('of what is acted on are the same at every attempt, another one for each replay', () => {
    const event = { project: 'main', source: 's', id: 'i' }
    expect(idempotencyKey(event, 'notify', '')).toBe(idempotencyKey(event, 'notify', ''))
    expect(idempotencyKey(event, 'notify', '')).not.toBe(idempotencyKey(event, 'notify', 'r'))
  })
})

describe('the group of an ordered message', () => {
  it('is one for a partition key, in its project and replay, and another one for each other', () => {
    const lane = { project: 'main', partitionkey: 'repository/octo/hello' }
    expect(messageGroup({ ...lane }, '')).toBe(messageGroup(lane, ''))
    const groups = [
      messageGroup(lane, ''),
      messageGroup(lane, 'r'),
      messageGroup({ ...lane, partitionkey: 'repository/octo/other' }, ''),
      messageGroup({ ...lane, project: 'shop' }, ''),
    ]
    expect(new Set(groups).size).toBe(groups.length)
    for (const group of groups) expect(group).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('a bounded key', () => {
  const anything = fc.string({ unit: 'grapheme', maxLength: 600, size: 'max' })

  it('is at most 256 bytes and whole characters, and a short text is itself', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const key = boundedKey(text)
        expect(byteLength(key)).toBeLessThanOrEqual(limits.key)
        expect(key.isWellFormed()).toBe(true)
        if (byteLength(text) <= limits.key) expect(key).toBe(text)
      }),
    )
  })

  it('of two long texts are two keys, however much they begin alike', () => {
    fc.assert(
      fc.property(anything, anything, (a, b) => {
        fc.pre(a !== b)
        expect(boundedKey(`${'ä'.repeat(200)}${a}`)).not.toBe(boundedKey(`${'ä'.repeat(200)}${b}`))
      }),
    )
  })

  it('does not cut a character of four bytes in two', () => {
    for (let shift = 0; shift < 4; shift++)
      expect(boundedKey('x'.repeat(shift) + '\u{1f600}'.repeat(100)).isWellFormed()).toBe(true)
  })

  it('is made at once of a text of a megabyte', () => {
    expect(byteLength(boundedKey('ä'.repeat(500_000)))).toBeLessThanOrEqual(limits.key)
  }, 1000)
})

describe('depth', () => {
  it('counts lists and objects in each other', () => {
    expect(isDeeperThan('x', 0)).toBe(false)
    expect(isDeeperThan({}, 0)).toBe(true)
    expect(isDeeperThan([{ a: [] }], 3)).toBe(false)
    expect(isDeeperThan([{ a: [] }], 2)).toBe(true)
    expect(isDeeperThan(null, 0)).toBe(false)
  })
})
