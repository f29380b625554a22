import type { Delivery, Memory, MemoryWrite } from '../../core/ports.ts'
import type { Process } from './calls.ts'
import type { Observed } from './observed.ts'
import type { Options } from './options.ts'
import { methodsOf } from './planting.ts'

/**
 * Very many others that write what one subscriber changes: one of them has always been faster than the process that
 * commits. What they write changes nothing but the version.
 */
export function crowdOf({
  options: { hot },
  now,
  isCalm,
}: {
  options: Options
  now: () => number
  isCalm: () => boolean
}): (memory: Memory, theirs: Memory, process: Process) => Memory {
  const began = now()
  const isHot = (): boolean =>
    hot !== undefined && !isCalm() && now() >= began + hot.begin && now() < began + hot.end
  return (memory, theirs, { kind }) => {
    if (hot === undefined || kind !== `consume ${hot.subscriber}`) return memory
    const overtake = async ({ value: _, version: __, ...key }: MemoryWrite): Promise<void> => {
      const { version = 0, value = { entries: [] } } = (await theirs.get(key)) ?? {}
      await theirs.commit({ writes: [{ ...key, version: version + 1, value }], outbox: [] })
    }
    return {
      ...methodsOf(memory),
      async commit(change) {
        const own = change.writes.filter((write) => write.kind === hot.subscriber)
        if (isHot()) for (const write of own) await overtake(write)
        return memory.commit(change)
      },
    }
  }
}

/** Others have won its races at all receives that its queue allows. */
export function noteLetGo(
  { letGo, state }: Delivery,
  before: Delivery | undefined,
  { sometimes }: Pick<Observed, 'sometimes'>,
): void {
  if (letGo) sometimes('a delivery is let go of')
  if (before?.letGo && !letGo && state === 'retrying') sometimes('what was let go of is sent anew')
}
