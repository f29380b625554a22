import type { Command } from 'commander'
import type { Cli } from '../context.ts'
import { examples, gather, more, type Paging, paged } from '../options.ts'
import { fields, localTime, table } from '../output.ts'

type Faults = readonly { path: string; expected: string; got: string }[]

const faultLines = (faults: Faults): string[] =>
  faults.map(({ path, expected, got }) => `${path || '(whole)'}: expected ${expected}, got ${got}`)

const shortened = ([first = '', ...rest]: string[]): string =>
  rest.length === 0 ? first : `${first}; and ${rest.length} more`

export function quarantine(program: Command, cli: Cli): void {
  const group = program
    .command('quarantine')
    .description('what came in and was no valid event')
    .addHelpText('after', examples('quarantine list'))

  paged(group.command('list'))
    .description('what was refused and kept, newest first')
    .addHelpText('after', examples('quarantine list', 'quarantine list --all --json'))
    .action(async (paging: Paging) => {
      const api = await cli.api()
      const list = await gather(paging, (at) => api.quarantine(at))
      cli.show(list, ({ items }, p) =>
        items.length === 0
          ? 'Nothing is in quarantine.'
          : table(
              p,
              ['RECEIVED', 'DIGEST', 'REASON', 'TYPE', 'FAULTS'],
              items.map((entry) => [
                localTime(entry.received),
                entry.digest.slice(0, 12),
                p.red(entry.reason),
                entry.type ?? '',
                shortened(faultLines(entry.faults)),
              ]),
            ),
      )
      cli.note(more(list))
    })

  group
    .command('show')
    .argument('<digest>', 'as listed; its beginning is enough where it is the only one')
    .description('one of them: what is wrong where, and the text as it came')
    .addHelpText('after', examples('quarantine show 3f2a9c01b4d7', 'quarantine show 3f2a9c01b4d7 --json'))
    .action(async (digest: string) => {
      const api = await cli.api()
      cli.show(await api.quarantined(await whole(digest, api)), (entry, p) =>
        [
          `${p.red(entry.reason)}  ${entry.digest}`,
          fields(p, {
            received: localTime(entry.received),
            door: entry.door,
            type: entry.type,
            source: entry.source,
            id: entry.id,
            faults: faultLines(entry.faults).join('\n'),
          }),
          '',
          entry.raw ?? '',
        ].join('\n'),
      )
    })
}

type Asked = Pick<Awaited<ReturnType<Cli['api']>>, 'quarantine'>

/** The list shows beginnings of digests, so one may be given; the newest thousand are looked through. */
async function whole(digest: string, api: Asked): Promise<string> {
  if (!/^[0-9a-f]{6,63}$/.test(digest)) return digest
  const { items } = await gather({ limit: 1000 }, (at) => api.quarantine(at))
  const found = items.filter((entry) => entry.digest.startsWith(digest))
  return found.length === 1 && found[0] ? found[0].digest : digest
}
