import { readFileSync, writeFileSync } from 'node:fs'
import { MeshError, parseJson, refuseNames } from '../../mesh/faults.ts'
import { CommandError } from '../faults.ts'

/** What cannot be analysed, as an error for people. */
export function analysing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof MeshError ? new CommandError(error.message) : error
  }
}

const whys: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const why = codeOf(error)
    throw new CommandError(`${file} cannot be read: ${whys[why] ?? why}`)
  }
}

export function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    const why = codeOf(error)
    throw new CommandError(`${file} cannot be written: ${why === 'ENOENT' ? 'there is no such folder' : why}`)
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : String(error)

export const readJson = (file: string): unknown => parseJson(file, readText(file))

/** What people write by hand: a name that stands twice is a slip. */
export function readWritten(file: string): unknown {
  const text = readText(file)
  const value = parseJson(file, text)
  refuseNames(file, text)
  return value
}
