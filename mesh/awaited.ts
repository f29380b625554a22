import type { MeshElement, MeshNode } from './model.ts'

/** Whether the call that starts a run of an express machine ends with it. */
export const isSyncStart = (action: string): boolean => action === 'states:StartSyncExecution'

/** Whether a run is started by such a call; a task that waits for a job starts it by another, and is told of its end. */
export const startsInSync = (element: MeshElement): boolean =>
  element.kind === 'invoke' || (element.kind === 'call' && isSyncStart(element.action))

/**
 * Whether who starts a run of a state machine over an element waits for its end, and fails with it. Who waits for a token does
 * not: a run that fails sends none.
 */
export const awaitsRun = (element: MeshElement, from: MeshNode | undefined): boolean =>
  startsInSync(element) || (from?.kind === 'task' && from.settings.integration === 'sync')
