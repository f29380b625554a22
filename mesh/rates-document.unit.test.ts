import { expect, it } from 'vitest'
import { parseRates } from './rates-document.ts'

const refused = (value: unknown): string => {
  try {
    parseRates('r.yaml', value)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return 'was read'
}

it.each([
  [null, 'is empty: begin with version: 1'],
  [[1], /^the document: expected an object of version, constants, arrivals, service, /],
  [{ services: {} }, /^the document: there is no services here, only version, .*: did you mean service\?$/],
  [{ arrivals: ['F'] }, 'arrivals: expected nodes: { Orders: { order.placed: 20/s } }'],
  [{ arrivals: { F: '3/s' } }, 'arrivals.F: expected how much of each event type: { order.placed: 20/s }'],
  [{ constants: { x: 'much' } }, 'constants.x: expected a number above 0'],
  [{ failures: { F: '10%' } }, 'failures.F: expected a part from 0 to 1: 0.1 for 10 %'],
  [{ service: null }, 'service: expected nodes: { Worker: { mean: 100ms } }'],
  [{ service: { F: '100ms' } }, 'service.F: expected how long it takes: { mean: 100ms }'],
  [{ service: { F: { mean: 1, scv: -1 } } }, 'service.F.scv: expected 0 or more: 0 constant, 1 exponential'],
  [
    { service: { F: { mean: 1, batch: 0 } } },
    'service.F.batch: expected messages of an invocation, 1 or more',
  ],
  [
    { service: { F: { mean: 1, bach: 3 } } },
    'service.F: there is no bach here, only mean, scv, batch, each: did you mean batch?',
  ],
  [{ sends: {} }, 'sends: expected a list of what is sent: - { from: Worker, to: Orders, ratio: 2 }'],
  [{ sends: [{ from: 'F' }] }, 'sends.0.to: expected text, and there is none'],
  [{ sends: [{ from: 'F', to: 3 }] }, 'sends.0.to: expected text, not 3'],
  [
    { accepted: [{ rule: 'r', at: 'F', because: 'b', why: 'w' }] },
    'accepted.0: there is no why here, only rule, at, because',
  ],
  [
    { shares: { rooting: 0.5 } },
    'shares: there is no rooting here, only routing, memory, models, servers, execution: did you mean routing?',
  ],
  [
    { targets: { utilization: 0.5 } },
    'targets: there is no utilization here, only utilisation, latency, loss, stopped, recovery: did you mean utilisation?',
  ],
])('of %j says what was expected', (given, says) => {
  const value = given === null || Array.isArray(given) ? given : { version: 1, ...given }
  const said = refused(value).replace('r.yaml: ', '')
  if (typeof says === 'string') expect(said).toBe(says)
  else expect(said).toMatch(says)
})
