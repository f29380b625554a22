import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deploymentFailed } from '../../events/deployment.failed.ts'
import { packed, unpacked } from './attributes.ts'
import { sha256 } from './signature.ts'

describe('packed', () => {
  const sizeOf = (attribute: object): number =>
    Buffer.from('B' in attribute ? String(attribute.B) : '', 'base64').byteLength

  test('any JSON comes back as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(unpacked.parse(packed(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test.each([1, 4000, 4096, 5000, 400_000])('a text of %i characters comes back, and small', (length) => {
    const value = { text: 'Die Prüfung dauerte 300 s. '.repeat(length).slice(0, length) }
    expect(unpacked.parse(packed(value))).toEqual(value)
    expect(sizeOf(packed(value))).toBeLessThan(30 + length / 10)
  })

  // with its keys that is one write unit
  test('an event of a kilobyte, most of it hex digits, is two thirds of that', () => {
    const digits = Array.from({ length: 12 }, (_, n) => sha256(String(n))).join('-')
    const data = { ...deploymentFailed.example, reason: digits }
    const event = { specversion: '1.0', type: deploymentFailed.type, time: '2026-01-01T12:00:00.000Z', data }
    expect(JSON.stringify(event).length).toBeGreaterThan(900)
    expect(sizeOf(packed(event))).toBeLessThan(0.67 * JSON.stringify(event).length)
  })

  test('what was deflated is read, however it was', () => {
    const small = { level: 1, windowBits: 12, memLevel: 5, chunkSize: 2048 }
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 5 }),
        fc.constantFrom({}, small, { level: 0 }, { level: 9 }),
        (value, options) => {
          const deflated = deflateRawSync(JSON.stringify(value), options)
          expect(unpacked.parse({ B: deflated.toString('base64') })).toEqual(
            JSON.parse(JSON.stringify(value)),
          )
        },
      ),
    )
  })
})
