import { readFileSync, writeFileSync } from 'node:fs'
import { MeshError, parseJson, refuseNames, whyNot } from '../../mesh/faults.ts'
import { CommandError } from '../faults.ts'

/** What cannot be analysed, as an error for people. */
export function analysing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof MeshError ? new CommandError(error.message) : error
  }
}

export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${whyNot(error, 'read')}`)
  }
}

export function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new CommandError(`${file} cannot be written: ${whyNot(error, 'write')}`)
  }
}

export const readJson = (file: string): unknown => parseJson(file, readText(file))

/** What people write by hand: a name that stands twice is a slip. */
export function readWritten(file: string): unknown {
  const text = readText(file)
  const value = parseJson(file, text)
  refuseNames(file, text)
  return value
}
