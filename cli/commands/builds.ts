import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { examples, gather, more, type Paging, paged, repositoryId } from '../options.ts'
import { state, table } from '../output.ts'

export function builds(program: Command, cli: Cli): void {
  paged(program.command('builds'))
    .argument('<repository>', '<owner>/<name>', repositoryId)
    .description('the build status of each branch of a repository, the newest commit first')
    .addHelpText('after', examples('builds octo/hello', 'builds octo/hello --json'))
    .action(async (repository: string, paging: Paging) => {
      const api = await cli.api()
      const list = await gather(paging, (at) => api.builds({ repository, ...at }))
      cli.show(list, ({ items }, p) =>
        items.length === 0
          ? `No build of ${repository} is known.`
          : table(
              p,
              ['BRANCH', 'STATUS', 'COMMIT', 'FAILING'],
              items.map(({ branch, status, commit, failing }) => [
                p.bold(branch),
                state(p, status),
                commit.slice(0, 12),
                failing.join(', '),
              ]),
            ),
      )
      cli.note(more(list))
    })
}
