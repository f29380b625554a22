import * as z from 'zod'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type JsonRecord = { [key: string]: Json }

export const json: z.ZodType<Json> = z.json()

export const isRecord = (value: Json | undefined): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What stands at a path of member names and positions, undefined where there is nothing. */
export const at = (value: Json | undefined, ...path: string[]): Json | undefined =>
  path.reduce<Json | undefined>(
    (inner, key) => (Array.isArray(inner) ? inner[Number(key)] : isRecord(inner) ? inner[key] : undefined),
    value,
  )

/** A list as it is; what stands alone where a list may stand, as a list of one. */
export const listOf = (value: Json | undefined): Json[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]

export const textOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : undefined

export const textsOf = (value: Json | undefined): string[] =>
  listOf(value).flatMap((item) => textOf(item) ?? [])

/** CloudFormation takes `"true"` for true. */
export const flagOf = (value: Json | undefined): boolean | undefined =>
  value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined

export const entriesOf = (value: Json | undefined): [string, Json][] =>
  isRecord(value) ? Object.entries(value) : []

/** Of strings, independent of the locale. */
export const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
