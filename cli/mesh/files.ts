import { readFileSync } from 'node:fs'
import { MeshError, parseJson } from '../../mesh/faults.ts'
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
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new CommandError(`${file} cannot be read: ${why === 'ENOENT' ? 'there is no such file' : why}`)
  }
}

export const readJson = (file: string): unknown => parseJson(file, readText(file))
