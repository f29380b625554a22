import { readFileSync, type Stats, statSync } from 'node:fs'
import { MeshError, whyNot } from '../../faults.ts'

/** What is there; undefined: nothing. */
export const statOf = (path: string): Stats | undefined =>
  reading(path, () => statSync(path, { throwIfNoEntry: false }))

export const textIn = (file: string): string => reading(file, () => readFileSync(file, 'utf8'))

function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new MeshError(`${path} cannot be read: ${whyNot(error, 'read')}`)
  }
}
