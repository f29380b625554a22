import type { Command } from 'commander'
import type { Repository, RepositoryChanges } from '../answers.ts'
import type { Cli } from '../context.ts'
import { UsageError } from '../faults.ts'
import { examples, gather, more, type Paging, paged, repositoryId } from '../options.ts'
import { fields, localTime, type Paint, table } from '../output.ts'

const gateText = ({ gate, ...settings }: Repository['gates'][number]): string => {
  const shown = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  return [gate, ...(shown.length === 0 ? [] : [shown.join(',')])].join(':')
}

const text = (repository: Repository, p: Paint): string =>
  [
    p.bold(repository.repository),
    fields(p, {
      deploys: repository.deployBranch,
      gates: repository.gates.map(gateText).join('\n') || 'none',
      version: String(repository.version),
    }),
  ].join('\n')

function history({ repository, since, steps }: RepositoryChanges, p: Paint): string {
  const begins = since > 1 ? [p.dim(`What was declared before version ${since} is not known.`)] : []
  const gaps = steps.flatMap(({ version, after }) =>
    after === undefined
      ? []
      : [
          p.dim(
            `Between ${after} and ${version}: dropped, or not here yet. What ${version} changed is told against ${after}.`,
          ),
        ],
  )
  return [
    p.bold(repository),
    table(
      p,
      ['VERSION', 'WHEN', 'BY', 'CHANGED'],
      steps.map(({ version, at, by, changes }) => [
        String(version),
        localTime(at),
        by,
        changes.map(changeText).join('; '),
      ]),
    ),
    ...gaps,
    ...begins,
  ].join('\n')
}

const changeText = ({ path, before, after }: RepositoryChanges['steps'][number]['changes'][number]): string =>
  `${path}: ${before === undefined ? '' : `${JSON.stringify(before)} -> `}${after === undefined ? 'removed' : JSON.stringify(after)}`

function named(repository: string): [owner: string, name: string] {
  const [owner = '', name = ''] = repository.split('/')
  return [owner, name]
}

/** `risk:maximum=70,onFailure=rollback`, or the gate as JSON; the API says what is wrong with it. */
function gateOf(written: string, before: unknown[] = []): unknown[] {
  if (written.startsWith('{')) return [...before, parse(written)]
  const [, gate, rest] = /^([a-z-]+)(?::(.+))?$/.exec(written) ?? []
  const settings = (rest ?? '').split(',').filter((each) => each !== '')
  if (gate === undefined || settings.some((each) => !/^\w+=.+$/.test(each)))
    throw new UsageError(
      `--gate ${written}: expected <gate> or <gate>:<setting>=<value>,…, such as risk:maximum=70`,
    )
  const pairs = settings.map((each) => {
    const at = each.indexOf('=')
    const value = each.slice(at + 1)
    return [each.slice(0, at), /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value]
  })
  return [...before, { gate, ...Object.fromEntries(pairs) }]
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new UsageError(`--gate: expected JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export function repositories(program: Command, cli: Cli): void {
  const group = program
    .command('repositories')
    .description('repositories: the branch that is deployed, and its quality gates')
    .addHelpText('after', examples('repositories list'))

  group
    .command('declare')
    .argument('<repository>', '<owner>/<name>', repositoryId)
    .description('declare a repository, or change it; what is not named is not kept')
    .requiredOption('--branch <branch>', 'the branch that is deployed')
    .option(
      '--gate <gate>',
      'a quality gate: build, tests, risk or approval, with its settings; may be given several times',
      gateOf,
    )
    .addHelpText(
      'after',
      examples(
        'repositories declare octo/hello --branch main --gate tests --gate risk:maximum=70',
        'repositories declare octo/hello --branch main --gate build:onFailure=rollback --gate approval:fromRisk=60,expiresInMinutes=60',
      ),
    )
    .action(async (repository: string, { branch, gate = [] }: { branch: string; gate?: unknown[] }) => {
      const api = await cli.api()
      cli.show(await api.declareRepository({ repository, deployBranch: branch, gates: gate }), text)
    })

  paged(group.command('list'))
    .description('declared repositories, by name')
    .addHelpText('after', examples('repositories list', 'repositories list --json'))
    .action(async (paging: Paging) => {
      const api = await cli.api()
      const list = await gather(paging, (at) => api.repositories(at))
      cli.show(list, ({ items }, p) =>
        items.length === 0
          ? 'No repository is declared.'
          : table(
              p,
              ['REPOSITORY', 'DEPLOYS', 'GATES'],
              items.map((each) => [
                p.bold(each.repository),
                each.deployBranch,
                each.gates.map(gateText).join(' '),
              ]),
            ),
      )
      cli.note(more(list))
    })

  group
    .command('show')
    .argument('<repository>', '<owner>/<name>', repositoryId)
    .description('a declared repository')
    .addHelpText('after', examples('repositories show octo/hello'))
    .action(async (repository: string) => {
      const api = await cli.api()
      cli.show(await api.repository(...named(repository)), text)
    })

  group
    .command('changes')
    .argument('<repository>', '<owner>/<name>', repositoryId)
    .description('what each declaration of a repository changed, when and by whom, newest first')
    .addHelpText(
      'after',
      examples('repositories changes octo/hello', 'repositories changes octo/hello --json'),
    )
    .action(async (repository: string) => {
      const api = await cli.api()
      cli.show(await api.repositoryChanges(...named(repository)), history)
    })
}
