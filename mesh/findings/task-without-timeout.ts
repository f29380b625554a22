import type { Rule } from './facts.ts'

/** Of a token nobody else has a deadline; a job ends by itself; a call has a deadline of its own. */
const awaits = {
  token: { severity: 'high', what: 'an answer', also: ', and HeartbeatSeconds' },
  sync: { severity: 'medium', what: 'the end of a job', also: '' },
  request: { severity: 'low', what: 'a response', also: '' },
} as const

/** A state that nothing ends waits for an answer that does not come for as long as its execution may last, a year. */
export const taskWithoutTimeout: Rule = function* ({ nodes, node, arriving, mesh }) {
  // one that the input gives is one
  const given = new Set(mesh.unresolved.map(({ at }) => at))
  for (const { id, name, path, settings } of nodes('task')) {
    const machine = node(settings.workflow)
    const bounded = settings.timeout !== undefined || settings.heartbeat !== undefined
    if (bounded || given.has(`${path}.TimeoutSeconds`) || machine?.kind !== 'workflow') continue
    if (machine.settings.timeout !== undefined || machine.settings.flavour === 'EXPRESS') continue
    const { severity, what, also } = awaits[settings.integration]
    const measured = Math.min(...arriving(id, 'invoke').map(({ timeout }) => timeout))
    yield {
      ...{ at: id, severity, measured, limit: null, unit: 's' },
      says: `${name} has no TimeoutSeconds and its state machine has none: it waits for up to ${measured} s for ${what}.`,
      mend: `Set TimeoutSeconds on ${name}${also}.`,
      from: 'states-execution-time',
    }
  }
}
