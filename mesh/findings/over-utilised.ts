import type { Rule } from './facts.ts'
import { shown } from './finding.ts'
import { raising } from './raising.ts'

/** A limit that the load comes near to, or goes beyond. Rates of FIFO queues and topics are another rule. */
export const overUtilised: Rule = function* (facts) {
  const { stresses, node, constant } = facts
  const limit = constant('utilisation-warning')
  for (const stress of stresses) {
    const { at, name, unit, demand, limit: most, utilisation, over, complete } = stress
    const found = node(at)
    const fifo = (found?.kind === 'queue' || found?.kind === 'topic') && found.settings.fifo
    if (utilisation <= limit || (fifo && unit !== 'servers')) continue
    const beyond = {
      wait: 'waits without end',
      refuse: 'is refused',
      delay: 'is delayed without end',
    }[over]
    yield {
      at,
      severity: utilisation > 1 ? 'high' : 'medium',
      measured: utilisation,
      limit,
      unit: 'of the limit',
      says: `${name} needs ${complete ? '' : 'at least '}${shown(demand)} of ${shown(most)} ${unit} (${shown(utilisation)})${utilisation > 1 ? `: what is beyond ${beyond}` : ', which leaves little room for what varies'}.`,
      mend: `${raising(facts, stress, limit)}, or bring it less or shorter work.`,
      from: 'utilisation-warning',
    }
  }
}
