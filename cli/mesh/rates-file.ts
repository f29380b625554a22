import { stringify } from 'yaml'
import { type Given, ratesOf } from '../../core/mesh/rates.ts'

export type { Time, Times } from '../../core/mesh/rates.ts'

/** The file of rates of what was measured, which says in comments what it stands on and lacks. */
export function ratesFile(given: Given): string {
  const { document, notes } = ratesOf(given)
  return `${notes.map((line) => `# ${line}\n`).join('')}${stringify(document)}`
}
