import type { Route } from '../../events/route.ts'
import { emittedId } from '../event/admit.ts'
import type { Emission } from '../event/handler.ts'
import { type Cause, emitFrame } from '../frame.ts'
import { contentDigest } from '../identity.ts'
import { traceparentOf } from '../trace-context.ts'
import type { Acted, Batch, Task } from './task.ts'

export function causeOf({ frame: { event } }: Pick<Task, 'frame'>): Cause {
  const { source, id, correlationid, hops } = event
  return { source, id, correlationid, hops, traceparent: traceparentOf(event) }
}

/** What a handler emits, as it goes to the gate; a replay that means to emit anew says so. */
export const emitFrames = ({ route }: Pick<Batch, 'route'>, { task, emissions }: Acted) =>
  emissions.map(({ type, data, subject }, step) =>
    emitFrame.parse({
      door: 'emit',
      project: task.key.project,
      by: route.subscriber,
      again: task.frame.emit ? task.key.replay : '',
      replay: task.key.replay,
      cause: causeOf(task),
      event: { type: type.type, data, subject, step },
    }),
  )

/** The same for what is committed with a change of state: its id does not depend on how it goes. */
export const emittedIds = (batch: Pick<Batch, 'route'>, acted: Acted): string[] =>
  emitFrames(batch, acted).map(emittedId)

/** What a replay emits is held against history, unless it is meant to be sent. A run of a workflow emits by itself. */
export const isCompared = ({ kind }: Route, { frame }: Pick<Task, 'frame'>): boolean =>
  kind === 'function' && frame.replay !== '' && !frame.emit

/**
 * How what would be emitted now differs from what is recorded, one sentence each; it shows types and ids, no data.
 * What was emitted once and is emitted no longer is not found: nothing names it.
 */
export async function differences(acted: Acted, { route, deps }: Batch): Promise<string[]> {
  // what the gate would read of it
  const frames = emitFrames({ route }, acted).map((frame) =>
    emitFrame.parse(JSON.parse(JSON.stringify(frame))),
  )
  if (frames.length === 0) return []
  const emitted = frames.map((frame) => ({ type: frame.event.type, id: emittedId(frame), frame }))
  const source = `/loadpath/${route.subscriber}`
  const { project } = acted.task.key
  const recorded = await deps.history.getEvents(emitted.map(({ id }) => ({ project, source, id })))
  return emitted.flatMap(({ type, id, frame }, index) => {
    const stored = recorded[index]
    if (stored === undefined) return [`would emit ${type} ${id}: it is not in history`]
    return stored.content === contentDigest(frame.event)
      ? []
      : [`would emit ${type} ${id}: with other content than is in history`]
  })
}

/** For the type's sake: a handler of effect outside answers a list, or nothing. */
export const listOf = (
  result: readonly Emission[] | { emits: readonly Emission[] } | undefined,
): readonly Emission[] => {
  if (result === undefined) return []
  if ('emits' in result) throw new Error('a subscriber of effect outside answered a change of state')
  return result
}
