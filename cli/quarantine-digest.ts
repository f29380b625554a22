import type { Api } from './api.ts'
import { CommandError } from './faults.ts'
import { gather } from './options.ts'

export async function wholeOnes(given: readonly string[], api: Api): Promise<string[]> {
  const found: string[] = []
  for (const one of given) found.push(await whole(one, api))
  return found
}

/**
 * The lists show beginnings of digests, so one may be given; the newest thousand that wait are looked through, and then
 * those of what was settled. @throws CommandError when several begin so, or none does
 */
export async function whole(
  digest: string,
  api: Pick<Api, 'quarantine' | 'quarantineSettled'>,
): Promise<string> {
  if (digest.length === 64) return digest
  for (const list of [api.quarantine, api.quarantineSettled]) {
    const { items } = await gather<{ digest: string }>({ limit: 1000 }, list)
    // the same text may have come, and been settled, several times
    const found = new Set(items.flatMap((entry) => (entry.digest.startsWith(digest) ? entry.digest : [])))
    if (found.size > 1)
      throw new CommandError(`${found.size} in quarantine begin with ${digest}: ${[...found].join(', ')}`)
    for (const only of found) return only
  }
  throw new CommandError(`nothing in quarantine has a digest that begins with ${digest}`)
}
