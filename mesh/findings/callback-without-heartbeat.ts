import type { Rule } from './facts.ts'
import { shown } from './finding.ts'

/** A worker that died is found out when the task's whole time is over, unless it has to give signs of life. */
export const callbackWithoutHeartbeat: Rule = function* ({ nodes, constant, mesh }) {
  const limit = constant('callback-silence')
  // one that the input gives is one
  const given = new Set(mesh.unresolved.map(({ at }) => at))
  for (const { id, name, path, settings } of nodes('task')) {
    const { integration, timeout, heartbeat } = settings
    if (integration !== 'token' || timeout === undefined || heartbeat !== undefined || timeout <= limit)
      continue
    if (given.has(`${path}.HeartbeatSeconds`)) continue
    yield {
      at: id,
      // it may be a person that is waited for
      severity: 'low',
      measured: timeout,
      limit,
      unit: 's',
      says: `${name} waits ${shown(timeout)} s for an answer without a heartbeat: that its worker died is seen no sooner.`,
      mend: `Set HeartbeatSeconds on ${name} to at most ${shown(limit)} s, and send heartbeats.`,
      from: 'callback-silence',
    }
  }
}
