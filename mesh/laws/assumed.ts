import type { Loaded } from '../load.ts'
import { constants } from './constants.ts'

/** Whose limits and times an analysis took, as of when, and which somebody has given in their place. */
export function lawsAssumed({ mesh, constants: given }: Pick<Loaded, 'mesh' | 'constants'>): string[] {
  const used = new Set(
    [...mesh.nodes, ...mesh.elements].flatMap((one) => [
      ...one.laws.map(({ from }) => from),
      ...('retry' in one ? [one.retry.from] : []),
      ...(one.kind === 'task' ? one.settings.retries.map(({ from }) => from) : []),
    ]),
  )
  const published = constants.filter(({ name }) => used.has(name))
  const replaced = published.filter(({ name }) => name in given).map(({ name }) => name)
  return [
    ...regionsOf(mesh),
    ...datesOf(published.filter(({ name }) => !(name in given))),
    ...(replaced.length > 0 ? [`In their place the file of rates gives ${replaced.join(', ')}.`] : []),
  ]
}

function datesOf(published: readonly { dated: string }[]): string[] {
  const dates = published.map(({ dated }) => dated).toSorted()
  const [first, last] = [dates[0], dates.at(-1)]
  return first === undefined
    ? []
    : [
        `The numbers of AWS are ${dates.length} that it published, as of ${first === last ? first : `${first} to ${last}`}: what it has changed since is not in them.`,
      ]
}

function regionsOf({ stacks }: Loaded['mesh']): string[] {
  const named = (some: typeof stacks) =>
    some.length > 5
      ? `${some.length} stacks`
      : some
          .map(({ name }) => name)
          .toSorted()
          .join(', ')
  const known = [...new Set(stacks.flatMap(({ region }) => region ?? []))].toSorted()
  const assumed = stacks.filter((stack) => stack.assumed === true)
  const open = stacks.filter(({ region }) => region === null)
  return [
    ...(known.length > 0
      ? [`The limits of AWS are those that new accounts have in ${known.join(', ')}.`]
      : []),
    ...(assumed.length > 0
      ? [`${named(assumed)}: no region in the template, taken as ${assumed[0]?.region}.`]
      : []),
    ...(open.length > 0
      ? [
          `${named(open)}: no region in the template, so of each limit the least of all regions; give the region.`,
        ]
      : []),
  ]
}
