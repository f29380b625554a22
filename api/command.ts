import { Failure } from '../core/errors.ts'
import type { Commit, Memory } from '../core/ports.ts'

const tries = 5

/**
 * Loads, decides and commits; a lost race is decided again. `decide` answers what to commit, or nothing when all is as
 * it should be, and what to tell the caller.
 * @throws Failure Busy after five lost races, and whatever `decide` throws
 */
export async function commitDecision<Answer>(
  memory: Pick<Memory, 'commit'>,
  decide: () => Promise<{ commit: Commit | undefined; answer: Answer }>,
): Promise<Answer> {
  for (let attempt = 0; attempt < tries; attempt++) {
    const { commit, answer } = await decide()
    if (commit === undefined || (await memory.commit(commit)) !== 'version conflict') return answer
  }
  throw new Failure('Busy', `others changed it ${tries} times meanwhile: try again`)
}
