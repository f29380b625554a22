import type { Command } from 'commander'
import type { Api } from '../api.ts'
import type { Cli } from '../context.ts'
import { UsageError } from '../faults.ts'
import { examples, gather, more, type Paging, paged, plainId, positive } from '../options.ts'
import { localTime, table } from '../output.ts'

type Create = { scope: string[]; project?: string; expires?: number; save?: boolean; aws?: boolean }

/** With no key yet, AWS credentials that may invoke the API's function are enough. */
async function apiFor(cli: Cli, byAws: boolean | undefined): Promise<Api> {
  if (!byAws && (await cli.stage().key()) !== undefined) return cli.api()
  const { connect } = await import('../api.ts')
  const { invokeTransport } = await import('../invoke.ts')
  return connect(cli.stage(), await invokeTransport(cli.stage()))
}

export function keys(program: Command, cli: Cli): void {
  const group = program
    .command('keys')
    .description('API keys; the first one by AWS credentials')
    .addHelpText('after', examples('keys create me --scope admin --save'))

  group
    .command('create')
    .argument('<name>', 'what it is for, or whose it is')
    .description('make a key and show it, this once')
    .requiredOption(
      '--scope <scope...>',
      'what it may do: admin, or some of events:write, events:read, runs:read, runs:write, approvals:read, approvals:write, keys:write, repositories:read, repositories:write',
    )
    .option('--project <name>', 'in another project than one’s own; needs admin')
    .option('--expires <days>', 'refused after so many days', positive)
    .option(
      '--save',
      'keep it for this stage in ~/.config/loadpath, readable by you only, and use it from now on',
    )
    .option('--aws', 'ask with AWS credentials even where a key is configured; so it is without one')
    .addHelpText(
      'after',
      examples(
        'keys create me --scope admin --save --stage dev',
        'keys create ci --scope events:write --expires 90',
        'keys create reader --scope events:read runs:read --project web',
      ),
    )
    .action(async (name: string, { scope, project, expires, save, aws }: Create) => {
      const stage = cli.stage()
      if (save && (await stage.running()) !== undefined)
        throw new UsageError(
          '--save: `loadpath up` keeps a key of its own for the local stage, and it is in use',
        )
      const api = await apiFor(cli, aws)
      const made = await api.createKey({
        name,
        scopes: scope,
        ...(project === undefined ? {} : { project }),
        ...(expires === undefined ? {} : { expiresInDays: expires }),
      })
      const saved = save
        ? await (await import('../credentials.ts')).saveKey(cli.io, stage.name, made.key)
        : undefined
      cli.show(made, ({ key }) => key)
      cli.note(saved === undefined ? 'It is not shown again.' : `It is not shown again; kept in ${saved}`)
    })

  paged(group.command('list'))
    .description('keys, newest first, without their secrets')
    .option('--project <name>', 'of another project than one’s own; needs admin')
    .addHelpText('after', examples('keys list', 'keys list --json'))
    .action(async ({ project, ...paging }: Paging & { project?: string }) => {
      const api = await cli.api()
      const list = await gather(paging, (at) => api.keys({ ...at, ...(project && { project }) }))
      cli.show(list, ({ items }, p) =>
        items.length === 0
          ? 'No keys.'
          : table(
              p,
              ['ID', 'NAME', 'PROJECT', 'CREATED', 'VALID', 'SCOPES'],
              items.map((key) => [
                key.id,
                p.bold(key.name),
                key.project,
                localTime(key.created),
                validity(key, cli.io.now()),
                key.scopes.join(' '),
              ]),
            ),
      )
      cli.note(more(list))
    })

  group
    .command('revoke')
    .argument('<id>', 'as listed; a whole key is taken too', plainId)
    .description('refuse a key from now on')
    .addHelpText('after', examples('keys revoke k7d1f0a2c9e4'))
    .action(async (named: string) => {
      const id = /^lp_([a-z0-9]+)_/.exec(named)?.[1] ?? named
      const api = await cli.api()
      cli.show(await api.revokeKey(id), (key, p) => `${p.bold(key.name)} (${key.id}) is refused from now on.`)
    })
}

function validity(
  { expires, revoked }: { expires?: string | undefined; revoked?: string | undefined },
  now: number,
) {
  if (revoked !== undefined) return `revoked ${localTime(revoked)}`
  if (expires === undefined) return 'for good'
  return `${Date.parse(expires) <= now ? 'expired' : 'until'} ${localTime(expires)}`
}
