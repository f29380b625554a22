import { consume } from '../../adapters/lambda/consume.ts'
import { analyzePush } from '../../core/domain/analyze-push.ts'
import { repositoryAnalyzed } from '../../events/repository.analyzed.ts'
import { routeTo } from '../../events/routes.ts'

/** github.push -> repository.analyzed: languages, areas, size and risk of what was pushed. */
export const handler = consume(routeTo('analyze-push'), () => async ({ data }) => [
  { type: repositoryAnalyzed, data: analyzePush(data) },
])
