import { commitDecision } from '../../core/commit-decision.ts'
import { declare, repositoryRecord } from '../../core/domain/repository.ts'
import { outboxItems } from '../../core/event/outbox.ts'
import type { Command } from './operators.ts'

/** A repository is declared: a change of state and the event that tells of it. */
export const declaring = ({
  project,
  repository,
  deployBranch,
}: {
  project: string
  repository: string
  deployBranch: string
}): Command => ({
  name: `declare ${repository}`,
  run: ({ memory }) =>
    commitDecision(
      (change) => memory.commit(change),
      repository,
      async () => {
        const record = await memory.get(repositoryRecord(project, repository))
        const change = declare(project, { repository, deployBranch, gates: [] }, record)
        const author = { project, by: 'api', actor: 'user:k1' }
        return {
          change: change && { writes: change.writes, outbox: outboxItems(change, author) },
          answer: undefined,
        }
      },
    ),
})
