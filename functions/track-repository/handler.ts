import { consume } from '../../adapters/lambda/consume.ts'
import { historyRecord, track } from '../../core/domain/repository-history.ts'
import { routeTo } from '../../events/routes.ts'

/** repository.updated, in order -> what each declaration changed. */
export const handler = consume(
  routeTo('track-repository'),
  () =>
    async ({ event, data }, memory) =>
      track(event, data, await memory.get(historyRecord(event.project, data.repository))),
)
