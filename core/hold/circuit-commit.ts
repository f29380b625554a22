import { circuitClosed } from '../../events/circuit.closed.ts'
import { circuitOpened } from '../../events/circuit.opened.ts'
import type { DataOf } from '../../events/event-type.ts'
import { type Route, typeName } from '../../events/route.ts'
import type { Emission } from '../event/handler.ts'
import { outboxItems } from '../event/outbox.ts'
import type { Commit, MemoryRecord } from '../ports.ts'
import { type Circuit, closed } from './circuit.ts'
import { type Control, controlWrite } from './control.ts'

/** Whose circuits they are. `quiet`: they open and close without an event. */
export type CircuitOwner = { project: string; subscriber: string; quiet?: boolean | undefined }

/**
 * Who is told of circuits is not told of its own: an event of it would go the very way that does not answer. The
 * `subscribers` list and the sweep's count of open circuits show it all the same.
 */
export const isQuiet = ({ types }: Pick<Route, 'types'>): boolean =>
  types.map(typeName).some((type) => type === circuitOpened.type || type === circuitClosed.type)

/** Where events of commands and circuits come from. */
export const controlAuthor = (project: string, actor: string) => ({ project, by: 'control', actor })

/** What opens a circuit, with its event. */
export function openingCommit(
  { project, subscriber, quiet = false }: CircuitOwner,
  record: MemoryRecord | undefined,
  { next, opened }: { next: Control; opened: Circuit },
  counts: { alike: number; failed: number; succeeded: number },
): Commit {
  const write = controlWrite({ project, subscriber }, record, next)
  const { downstream, reason, probeAt } = opened
  const data = { subscriber, downstream, reason, ...counts, probeAt }
  const emits = quiet ? [] : [{ type: circuitOpened, data }]
  const author = controlAuthor(project, 'system')
  return { writes: [write], outbox: outboxItems({ emits, sequence: write.version }, author) }
}

/** What a control is when circuits have closed, and the events that say so, for the commit of whoever closes them. */
export function closing(
  { subscriber, quiet = false }: CircuitOwner,
  state: Control,
  gone: readonly Circuit[],
  how: { now: string; because: DataOf<typeof circuitClosed>['because']; job?: string | undefined },
): { next: Control; emits: Emission<typeof circuitClosed>[] } {
  const { now, because, job } = how
  const next = { ...state, ...closed(state, gone, now) }
  const emits = gone.map(({ downstream, since: opened, probes }) => ({
    type: circuitClosed,
    data: { subscriber, downstream, opened, probes, because, ...(job === undefined ? {} : { job }) },
  }))
  return { next, emits: quiet ? [] : emits }
}
