import type { Downstream } from './handlers.ts'
import type { Observed } from './observed.ts'
import type { Options } from './options.ts'

/** How what is down may fail: of kinds that fall into no one counter. */
const unlike = ['at once', 'in the end', 'without a word', 'by half', 'for nothing', 'in vain'] as const

/** What handlers act on. */
export function outside({
  options: { down },
  observed,
  now,
  isCalm,
}: {
  options: Options
  observed: Observed
  now: () => number
  isCalm: () => boolean
}): Downstream {
  const began = now()

  /** Some of what is down fails at each event in a way of its own. */
  function failUnlike(name: string, delivery: string): void {
    const at = now() - began
    if (!down?.unlike || isCalm() || !name.startsWith(down.subscriber) || at < down.begin || at >= down.end)
      return
    observed.sometimes('what is down fails in different ways')
    const which = Number(/ down-(\d+) /.exec(delivery)?.[1] ?? 0)
    throw new Error(`fails ${unlike[which % unlike.length]}`)
  }

  return {
    async act(name, idempotencyKey, delivery) {
      failUnlike(name, delivery)
      observed.effects.set(delivery, [...(observed.effects.get(delivery) ?? []), idempotencyKey])
    },
  }
}
