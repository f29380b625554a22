import { Failure } from './errors.ts'

/**
 * Reads for work on many: one that newer code wrote is `unreadable` by itself, and must not hold up all the others. In
 * the order asked. `read` fails as a whole when one of them cannot be parsed.
 */
export async function readEach<Key, Found>(
  keys: readonly Key[],
  read: (keys: readonly Key[]) => Promise<readonly Found[]>,
): Promise<(Found | 'unreadable')[]> {
  if (keys.length === 0) return []
  try {
    return [...(await read(keys))]
  } catch (error) {
    if (!(error instanceof Failure && error.code === 'NewerVersion')) throw error
    if (keys.length === 1) return ['unreadable']
  }
  // halves, so that few unreadable ones among many cost few reads
  const middle = Math.ceil(keys.length / 2)
  const halves = [keys.slice(0, middle), keys.slice(middle)]
  return (await Promise.all(halves.map((half) => readEach(half, read)))).flat()
}
