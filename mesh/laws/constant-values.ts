import { MeshError } from '../faults.ts'
import { nearest } from '../nearest.ts'
import { constants } from './constants.ts'

/** A number and the name of the constant that it is. */
type Known = { value: number; from: string }

/** Answers a constant; with a region, that of the region where there is one; of a region that nobody knows (null) the least. */
export type Lookup = (name: string, region?: string | null) => Known

/**
 * The constants, with others in the place of some. `overrides`: values by name; a name without a region is for all
 * regions. A name that is not known is a MeshError that lists those that are near.
 */
export function lookupWith(overrides: Readonly<Record<string, number>> = {}): Lookup {
  const values = new Map(constants.map(({ name, value }) => [name, value]))
  const unknown = Object.keys(overrides).filter((name) => !values.has(name))
  if (unknown.length > 0) throw new MeshError(unknown.map(notKnown).join('\n  '))
  for (const name of Object.keys(overrides))
    for (const other of values.keys()) if (other.startsWith(`${name}/`)) values.delete(other)
  for (const [name, value] of Object.entries(overrides)) values.set(name, value)
  const least = new Map<string, string>()
  for (const [name, value] of values) {
    const base = name.split('/')[0] ?? name
    if (value < (values.get(least.get(base) ?? base) ?? Number.POSITIVE_INFINITY)) least.set(base, name)
  }
  return (name, region) => {
    const own = region && values.has(`${name}/${region}`) ? `${name}/${region}` : name
    const from = region === null ? (least.get(name) ?? name) : own
    const value = values.get(from)
    if (value === undefined) throw new MeshError(notKnown(from))
    return { value, from }
  }
}

/** The value of a constant without a region. `given`: in the place of some, by name. */
export const constantIn = (given: Readonly<Record<string, number>>, name: string): number =>
  given[name] ?? lookupWith()(name).value

function notKnown(name: string): string {
  const near = nearest(
    name,
    constants.map((constant) => constant.name),
  )
  return `constants.${name}: there is no such constant${near.length === 0 ? '' : `; near it: ${near.join(', ')}`}`
}
