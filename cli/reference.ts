import type { Command } from 'commander'
import { createProgram, exitCodes } from './program.ts'

/** docs/cli.md: everything in it about commands, options and exit codes is taken from the commands themselves. */
export function reference(): string {
  const nowhere = { write: () => undefined, colours: false }
  const { program } = createProgram({
    env: {},
    home: '',
    columns: undefined,
    stdin: async () => '',
    out: nowhere,
    err: nowhere,
    now: () => 0,
    interrupted: () => new AbortController().signal,
    agrees: undefined,
    edit: undefined,
  })
  const groups = Map.groupBy(visible(program), (command) => command.helpGroup() ?? '')
  return [
    introduction,
    '## Commands',
    '',
    ...[...groups].flatMap(([title, commands]) => [
      `### ${title.replace(/:$/, '')}`,
      '',
      '| command | |',
      '|---|---|',
      ...commands.flatMap((command) => rows(command, 'loadpath')),
      '',
    ]),
    '## Options of every command',
    '',
    ...program.options.map(({ flags, description }) => `- \`${flags}\`: ${description}`),
    '',
    '## Exit codes',
    '',
    ...Object.entries(exitCodes).map(([code, meaning]) => `- \`${code}\`: ${meaning}`),
    '',
  ].join('\n')
}

/** A command's subcommands, without the one for help. */
export const visible = (command: Command): Command[] =>
  command.commands.filter((each) => each.name() !== 'help')

function rows(command: Command, path: string): string[] {
  const name = `${path} ${command.name()}`
  const below = visible(command)
  const inner = below.flatMap((each) => rows(each, name))
  // a group with arguments does something by itself too
  if (below.length > 0 && command.registeredArguments.length === 0) return inner
  const words = command.registeredArguments.map((argument) => {
    const inside = `${argument.name()}${argument.variadic ? '…' : ''}`
    return argument.required ? `<${inside}>` : `[${inside}]`
  })
  const options = command.options.map(({ flags, mandatory }) => (mandatory ? flags : `[${flags}]`))
  const usage = [name, ...words, ...options].join(' ').replaceAll('|', '\\|')
  return [`| \`${usage}\` | ${command.description().replaceAll('|', '\\|')} |`, ...inner]
}

const introduction = `# The command line

\`loadpath\` is a client of the HTTP API. In a clone it is \`npx loadpath\`; \`loadpath <command> --help\` has examples.
This page is made from the commands themselves: \`npx vitest run cli/reference -u\` writes it anew.

## Which deployment

\`--stage <name>\`, else \`LOADPATH_STAGE\`, else \`local\`, the one that \`loadpath up\` runs on this machine. A command finds
the address of the API in this order, and of the key likewise:

| | address | key |
|---|---|---|
| 1 | \`LOADPATH_API\` | \`LOADPATH_API_KEY\` |
| 2 | local stage: what \`loadpath up\` has noted | the same |
| 3 | the parameter \`/loadpath/<stage>/config\`, read with AWS credentials (\`--profile\`, or found where AWS's own tools look) | \`~/.config/loadpath/credentials.json\` (mode 0600), written by \`loadpath keys create --save\` |

\`LOADPATH_API\` and \`LOADPATH_API_KEY\` count only for the stage in \`LOADPATH_STAGE\` where that is set, as
\`eval "$(loadpath env)"\` does: so \`--stage prod\` never sends the key of one deployment to another.
\`AWS_ENDPOINT_URL\` counts always, as for all of AWS's tools; one on this machine gets dummy credentials, never yours.

The first key of a deployment is made with AWS credentials that may invoke its function \`api\`:
\`loadpath keys create me --scope admin --save --stage dev\`.

## Variables of the environment

Beside those above:

| | |
|---|---|
| \`LOADPATH_PORT\` | the port of \`loadpath up\`, 4566 without it; what is kept from earlier starts works on the port that it began with |
| \`VISUAL\`, \`EDITOR\` | what \`dead edit\` and \`quarantine edit\` open; \`vi\` without them |
| \`LOADPATH_DEBUG\` | the stack of an unexpected error is shown |
| \`NO_COLOR\` | no colours |

## What it writes

Answers go to standard output, everything else to standard error. For people: tables and trees, times in the time zone
of this machine, colours only on a terminal and not when \`NO_COLOR\` is set. With \`--json\`: one JSON document, or one per
line for streams (\`events put\`, \`events tail\`, \`logs\`, \`smoke\`, \`up\`), with times in ISO 8601, and an error as
\`{"error": {…}}\` on standard error, which is the API's own problem document where it comes from there.
An unexpected error shows its stack when \`LOADPATH_DEBUG\` is set. Lists answer 20 items; \`--limit <n>\`, \`--all\`, or \`--cursor <next>\` say otherwise.

\`run\` takes a request a field at a time: \`--repository octo/hello --branch main\`, \`--a.b value\` for a member of a member.
A value is text; where the workflow's schema refuses that and it is JSON too (\`5\`, \`true\`, \`[1]\`), the JSON is sent.

`
