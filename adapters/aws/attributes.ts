import {
  brotliCompressSync,
  brotliDecompressSync,
  constants,
  deflateRawSync,
  inflateRawSync,
} from 'node:zlib'
import * as z from 'zod'

/** A DynamoDB value as it goes over the wire. */
export type Attribute =
  | { S: string }
  | { N: string }
  | { B: string }
  | { BOOL: boolean }
  | { NULL: true }
  | { L: readonly Attribute[] }
  | { M: Item }
  | { SS: readonly string[] }
export type Item = { readonly [name: string]: Attribute }

export const s = (text: string): Attribute => ({ S: text })
export const n = (number: number): Attribute => ({ N: String(number) })
export const b = (bytes: Buffer): Attribute => ({ B: bytes.toString('base64') })
export const strings = (texts: readonly string[]): Attribute => ({ L: texts.map(s) })

/** Readers: each parses one kind of attribute into the plain value. */
export const text = z.object({ S: z.string() }).transform((attribute) => attribute.S)
export const number = z.object({ N: z.string() }).transform((attribute) => Number(attribute.N))
export const bytes = z.object({ B: z.string() }).transform((attribute) => Buffer.from(attribute.B, 'base64'))
export const texts = z.object({ L: z.array(text) }).transform((attribute) => attribute.L)
export const textSet = z.object({ SS: z.array(z.string()) }).transform((attribute) => attribute.SS)

/**
 * For small texts, which take deflate nearly twice as long. For this window a text of brotli begins with the bits 111
 * (RFC 7932, 9.1), and none of deflate does (RFC 1951, 3.2.3), so that each can be told by its first byte.
 */
const small = {
  params: { [constants.BROTLI_PARAM_QUALITY]: 2, [constants.BROTLI_PARAM_LGWIN]: 20 },
  chunkSize: 2048,
}

export const packed = (value: unknown): Attribute => b(pack(value))

/** What a value takes when it is packed. */
export const packedBytes = (value: unknown): number => pack(value).byteLength

function pack(value: unknown): Buffer {
  const text = JSON.stringify(value)
  return text.length <= 4096 ? brotliCompressSync(text, small) : deflateRawSync(text)
}
const isBrotli = (data: Buffer): boolean => ((data[0] ?? 0) & 0b111) === 0b111

/** JSON that `packed` wrote, still unknown: parse it on. */
export const unpacked = bytes.transform((data): unknown =>
  JSON.parse((isBrotli(data) ? brotliDecompressSync(data) : inflateRawSync(data)).toString('utf8')),
)

/** A JSON value as native attributes; members that are undefined are left out, as JSON.stringify does. */
export function toAttribute(value: unknown): Attribute {
  if (value === null || value === undefined) return { NULL: true }
  if (typeof value === 'string') return { S: value }
  if (typeof value === 'boolean') return { BOOL: value }
  if (typeof value === 'number' && Number.isFinite(value)) return { N: String(value) }
  if (Array.isArray(value)) return { L: value.map(toAttribute) }
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    return {
      M: Object.fromEntries(
        Object.entries(value).flatMap(([name, member]) =>
          member === undefined ? [] : [[name, toAttribute(member)]],
        ),
      ),
    }
  throw new TypeError(`a record holds JSON only, not ${typeof value}`)
}

export const json: z.ZodType<unknown> = z.lazy(() =>
  z.union([
    z.object({ S: z.string() }).transform((attribute): unknown => attribute.S),
    z.object({ N: z.string() }).transform((attribute): unknown => Number(attribute.N)),
    z.object({ BOOL: z.boolean() }).transform((attribute): unknown => attribute.BOOL),
    z.object({ NULL: z.literal(true) }).transform((): unknown => null),
    z.object({ L: z.array(json) }).transform((attribute): unknown => attribute.L),
    z.object({ M: z.record(z.string(), json) }).transform((attribute): unknown => attribute.M),
  ]),
)

/** An item as it came, to be parsed by what reads it. */
export const rawItem = z.record(z.string(), z.unknown())
export type RawItem = z.infer<typeof rawItem>
