import type { Delivery, DeliveryKey } from '../../core/ports.ts'
import type { Route } from '../../events/route.ts'
import { type Held, marksOf, routeOf, type Wrong } from './held.ts'
import { deliveryText } from './observed.ts'
import { tooLongTogether } from './wire.ts'

/** What must hold of the reasons for which deliveries died. */

/** What a call answers when something is wrong for a while. */
const passing =
  /(never works|not yet|Rate exceeded|the service has failed|no answer within|the key may not be used|Transaction is ongoing|others (kept )?changed)/
const othersWereFaster = /^others (kept )?changed/
const saysHowOften = /\(attempt (\d+) of (\d+)\)$/
const crashed = /^(its handling crashed|given up after)/

/** What is dead was tried as often as its route says, or failed for good, or took its process along. */
export const deathsHaveTheirReason = (held: Held): Wrong[] =>
  marksOf(held).flatMap((mark): Wrong[] => {
    const route = routeOf(held, mark.subscriber)
    if (mark.state !== 'dead' || route === undefined) return []
    const why = wrongDeath(mark, route, held)
    return why === undefined ? [] : [{ message: `${deliveryText(mark)} ${why}: ${mark.reason}`, id: mark.id }]
  })

function wrongDeath(mark: DeliveryKey & Delivery, route: Route, held: Held): string | undefined {
  const { reason = '', attempts } = mark
  if (reason === '') return 'is dead and does not say why'
  if (crashed.test(reason)) return undefined
  if (reason.includes(tooLongTogether)) return 'is dead of what was sent with it'
  if (/as a message, at most/.test(reason)) held.observed.sometimes('what is emitted is too large')
  const [, at, of] = saysHowOften.exec(reason) ?? []
  if (at === undefined) return passing.test(reason) ? 'is dead of what passes' : undefined
  if (othersWereFaster.test(reason)) return 'is dead as others were faster'
  if (Number(of) !== route.attempts || Number(at) < route.attempts || attempts < route.attempts)
    return `is dead after ${attempts} attempts, and has ${route.attempts}`
  const received = receivesOf(mark, held)
  return route.ordered || received >= route.attempts
    ? undefined
    : `is dead, and was handed over ${received} times at most`
}

/** Of the message of it that was handed over most often. */
const receivesOf = (mark: DeliveryKey, { observed }: Held): number =>
  Math.max(
    0,
    ...[...(observed.messages.get(deliveryText(mark)) ?? [])].map((id) => observed.received.get(id) ?? 0),
  )
