import { Failure } from './errors.ts'
import type { Commit, CommitVerdict } from './ports.ts'

const tries = 5

/**
 * Loads, decides and commits; a lost race is decided again, on what is there then. `decide` answers what to commit, or
 * nothing when all is as it should be, and what to tell the caller. `what` is being changed, for the failure's words.
 * @throws Failure Busy after five lost races, and whatever `decide` throws
 */
export async function commitDecision<Answer>(
  commit: (change: Commit) => Promise<CommitVerdict>,
  what: string,
  decide: () => Promise<{ change: Commit | undefined; answer: Answer }>,
): Promise<{ answer: Answer; verdict: 'committed' | 'done already' | 'nothing to commit' }> {
  for (let attempt = 0; attempt < tries; attempt++) {
    const { change, answer } = await decide()
    const verdict = change === undefined ? 'nothing to commit' : await commit(change)
    if (verdict !== 'version conflict') return { answer, verdict }
  }
  throw new Failure('Busy', `others changed ${what} ${tries} times meanwhile: try again`)
}
