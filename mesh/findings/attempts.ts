import type { ElementOf, MeshNode, NodeOf, Retry } from '../model.ts'

/** The retrier that a state has for a failure without a name, or for its own timeout: the first that is for it. */
export const retryOf = (
  { settings }: NodeOf<'task'>,
  error: 'States.TaskFailed' | 'States.Timeout',
): Retry | undefined =>
  settings.retries.find(
    ({ errors }) => errors === undefined || errors.includes('States.ALL') || errors.includes(error),
  )

/** Attempts that the caller of an invoke makes of what fails; the retries of a state stand at the state. */
export function attemptsOfInvoke({ retry }: ElementOf<'invoke'>, from: MeshNode, to: MeshNode): number {
  if (to.kind === 'task') return Math.max(retry.attempts, retryOf(to, 'States.TaskFailed')?.attempts ?? 1)
  return from.kind === 'task' && from.settings.retries.length > 0 ? 1 : retry.attempts
}
