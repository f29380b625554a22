import * as z from 'zod'
import { nearest } from './nearest.ts'

/** What somebody gave that cannot be analysed: names the file, the place in it, and how to mend it. */
export class MeshError extends Error {
  override name = 'MeshError'
}

const whys: Readonly<Record<string, string>> = {
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is no directory',
  ELOOP: 'its links lead round',
  EROFS: 'the file system is read only: write elsewhere',
  ENOSPC: 'no space is left there',
}

/** Why a file cannot be read or written, by what the file system threw, and how to mend it. */
export function whyNot(error: unknown, to: 'read' | 'write'): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  if (code === 'EACCES' || code === 'EPERM')
    return `this user has no right to ${to} it: give it to the user, for the file and its folders`
  if (code === 'ENOENT') return `there is no such ${to === 'read' ? 'file' : 'folder'}`
  return whys[code] ?? code
}

/** `nodes.cpu.service.job: expected …`, one line for each fault, all of them. */
export function faultsOf(where: string, error: z.ZodError): MeshError {
  const lines = error.issues.map(
    ({ path, message }) => `${path.map(String).join('.') || 'the document'}: ${message}`,
  )
  return new MeshError(`${where}: ${lines.join('\n  ')}`)
}

/** A number that an analysis is given, and whether it is one that it can do with. */
type Given = { name: string; value: number; fits: boolean; expected: string }

export const faultsIn = (given: readonly Given[]): string[] =>
  given
    .filter(({ value, fits }) => !Number.isFinite(value) || !fits)
    .map(({ name, value, expected }) => `${name}: expected ${expected}, not ${value}`)

/** Refuses numbers that an analysis can do nothing with. */
export function checkGiven(analysis: string, given: readonly Given[]): void {
  const faults = faultsIn(given)
  if (faults.length > 0) throw new MeshError(`${analysis}: ${faults.join('\n  ')}`)
}

export const above0 = (name: string, value: number): Given => ({
  ...{ name, value, fits: value > 0 },
  expected: 'more than 0',
})
export const whole = (name: string, value: number, least: number): Given => ({
  ...{ name, value, fits: Number.isInteger(value) && value >= least },
  expected: `a whole number of ${least} or more`,
})

/** An object of these members alone; another is told which there are. `expected`: what is told of what is no object. */
export const membersOnly = <Shape extends z.ZodRawShape>(
  shape: Shape,
  expected = `expected an object of ${Object.keys(shape).join(', ')}`,
) =>
  z.strictObject(shape, {
    error: ({ code, keys }) =>
      code === 'unrecognized_keys'
        ? noneOf(Object.keys(shape), keys)
        : code === 'invalid_type'
          ? expected
          : undefined,
  })

/** Of keys that are not among those known: which there are, and which may be meant. */
export function noneOf(known: readonly string[], keys: unknown): string | undefined {
  if (!Array.isArray(keys)) return undefined
  const near = keys.flatMap((key) => nearest(String(key), known, 1))
  const meant = near.length === 0 ? '' : `: did you mean ${near.join(', ')}?`
  return `there is no ${keys.join(', ')} here, only ${known.join(', ')}${meant}`
}

/** The value of a JSON text, which may begin with a byte order mark. `where` names the file. */
export function parseJson(where: string, text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new MeshError(`${where}: no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  refuseDepth(where, value)
  return value
}

/**
 * Refuses names that stand twice in one object, of which JSON keeps the last without a word, and the one name that is no
 * member in JavaScript. `text` is JSON.
 */
export function refuseNames(where: string, text: string): void {
  const open: { names: Set<string> | undefined; name: string }[] = []
  let last = '""'
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    const inside = open.at(-1)
    if (token === '{') open.push({ names: new Set(), name: '' })
    else if (token === '[') open.push({ names: undefined, name: '' })
    else if (token === '}' || token === ']') open.pop()
    else if (token !== ':') last = token
    else if (inside?.names !== undefined) {
      const name = String(JSON.parse(last))
      inside.name = name
      const path = open.map((level) => level.name).filter((part) => part !== '')
      if (inside.names.has(name)) throw new MeshError(`${where}: ${path.join('.')}: stands here twice`)
      if (name === '__proto__')
        throw new MeshError(`${where}: ${path.join('.')}: nothing can have this name: take another`)
      inside.names.add(name)
    }
  }
}

/** Nothing that people or the CDK write is nested so deep; what is would end the stack of whoever walks it. */
const deepest = 400

/** Refuses what is nested too deep to be walked. */
export function refuseDepth(where: string, value: unknown): void {
  const open = [{ value, depth: 0 }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue
    if (next.depth === deepest)
      throw new MeshError(`${where}: is nested more than ${deepest} levels deep: make it flatter`)
    for (const inner of Object.values(next.value)) open.push({ value: inner, depth: next.depth + 1 })
  }
}
