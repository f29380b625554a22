import type { Held, Wrong } from './held.ts'
import { settlementKind, settlementName } from './quarantine-operators.ts'

/**
 * What somebody settles in quarantine is settled once: what is written of it, what the entry says and what was told are
 * the same, and what was recorded is in history.
 */
export function quarantineIsSettledOnce({ stage, observed }: Held): Wrong[] {
  const { real } = stage.stored
  const { quarantined } = real.history.all()
  const written = new Set(
    real.memory
      .all()
      .records.filter(({ kind }) => kind === settlementKind)
      .map(({ project, name }) => `${project} ${name}`),
  )
  const entries = quarantined.flatMap((entry): Wrong[] => {
    const { project, digest, settled, id } = entry
    const text = `${digest.slice(0, 8)} (${entry.reason})`
    const said = observed.settlements.get(`${project} ${settlementName(entry)}`)
    const wrong = (message: string): Wrong[] => [{ message: `${text} in quarantine ${message}`, id }]
    if (said === undefined)
      return settled === undefined ? [] : wrong('is settled, and nothing is written of it')
    if (!written.has(`${project} ${settlementName(entry)}`)) return wrong('was settled, and that is gone')
    if (settled === undefined) return wrong(`was ${said.state} and still waits`)
    if (settled.state !== said.state || settled.by !== said.by || settled.at !== said.settled)
      return wrong(`was ${said.state} at ${said.settled} and says ${settled.state} at ${settled.at}`)
    if (settled.state === 'recorded' && !observed.events.has(`${project} ${settled.note}`))
      return wrong(`was recorded as ${settled.note}, which is not there`)
    return []
  })
  const told = Map.groupBy(
    [...observed.events.values()].flatMap(({ stored: { event } }) => {
      const [, state] = /^quarantine\.(released|dropped)$/.exec(event.type) ?? []
      return state === undefined ? [] : [{ state, digest: (event.data as { digest: string }).digest, event }]
    }),
    ({ state, digest, event }) => `${event.project} ${digest} ${state}`,
  )
  const settlements = [...observed.settlements].map(([key, { state }]) => {
    const [project = '', name = ''] = key.split(' ')
    return { about: `${project} ${name.split('~')[0]}`, state }
  })
  const silent = settlements.flatMap(({ about, state }): Wrong[] => {
    const how = state === 'dropped' ? 'dropped' : 'released'
    const times = settlements.filter((one) => one.about === about && one.state === state).length
    const events = told.get(`${about} ${how}`)?.length ?? 0
    // one that was dropped while it went through the gate is told of as both
    const isRight = state === 'dropped' ? events === times : events >= times
    return isRight
      ? []
      : [{ message: `${about} in quarantine was ${how} ${times} times and told of ${events} times` }]
  })
  return [...entries, ...silent]
}
