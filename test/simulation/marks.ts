import type { Delivery, DeliveryKey } from '../../core/ports.ts'
import { noteLetGo } from './crowd.ts'
import { noteMended } from './meant.ts'
import { deliveryText, type Observed } from './observed.ts'

type Mark = DeliveryKey & Delivery

/** Hears of each mark of a delivery that is written: holds it against the one before, and writes it down. */
export function marksHeld(observed: Observed, now: () => number): (mark: Mark) => void {
  const behindCircuits = new Set<string>()
  return (mark) => {
    const text = deliveryText(mark)
    const before = observed.deliveries.get(text)
    observed.step(
      mark.id,
      () => `${text}: ${before?.state ?? 'nothing'} -> ${mark.state} ${mark.reason ?? ''}`,
    )
    holdAgainstBefore(text, mark, before?.state, observed)
    if ((mark.resumed ?? 0) > (before?.resumed ?? 0))
      observed.reopened.set(text, [...(observed.reopened.get(text) ?? []), now()])
    observed.uncounted.set(text, Math.max(observed.uncounted.get(text) ?? 0, mark.uncounted ?? 0))
    noteMended(mark, before, observed, now())
    noteLetGo(mark, before, observed)
    if (mark.state === 'parked' && mark.reason?.includes('circuit')) behindCircuits.add(text)
    if (mark.state === 'done' && behindCircuits.has(text))
      observed.sometimes('what was parked behind a circuit is handled')
    observed.deliveries.set(text, { ...mark, at: now() })
  }
}

function holdAgainstBefore(
  text: string,
  mark: Mark,
  was: Delivery['state'] | undefined,
  observed: Observed,
): void {
  if (was === 'done' || was === 'dropped')
    observed.violated({
      invariant: 'what is settled stays so',
      message: `${text} was ${was} and is ${mark.state}`,
      id: mark.id,
    })
  if (mark.state === 'dropped' && was !== 'dead' && was !== 'parked')
    observed.violated({
      invariant: 'only what is held is dropped',
      message: `${text} was ${was ?? 'not tried'} and is dropped`,
      id: mark.id,
    })
}
