import { MeshError } from '../faults.ts'
import { findingConstants } from '../findings/constants.ts'
import { availabilityConstants, checkAvailability } from '../fracture/availability.ts'
import { constants } from '../laws/constants.ts'

type Values = Record<string, number>

/** Numbers that somebody gives anew, by what they are for. */
export type Overrides = { laws: Values; findings: Values; availability: Values }

/** Parts what is given in the place of constants; a name that none of them has, or a part of the time above 1, is a MeshError. `where` names the file. */
export function overridesOf(where: string, given: Readonly<Values>): Overrides {
  const parts: Overrides = { laws: {}, findings: {}, availability: {} }
  const homes: readonly [Values, ReadonlySet<string>][] = [
    [parts.laws, new Set(constants.flatMap(({ name }) => [name, name.split('/')[0] ?? name]))],
    [parts.findings, new Set(findingConstants.map(({ name }) => name))],
    [parts.availability, new Set(availabilityConstants.map(({ name }) => name))],
  ]
  const unknown: string[] = []
  for (const [name, value] of Object.entries(given)) {
    const home = homes.find(([, names]) => names.has(name))
    if (home === undefined) unknown.push(name)
    else home[0][name] = value
  }
  if (unknown.length > 0)
    throw new MeshError(
      `${where}: constants: there is none named ${unknown.join(', ')}; mesh/laws/constants.ts, mesh/findings/constants.ts and mesh/fracture/availability.ts list them with their sources`,
    )
  checkAvailability(`${where}: constants`, parts.availability)
  return parts
}
