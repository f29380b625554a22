import type { Api, Named } from './api.ts'
import { ApiError } from './client.ts'
import type { Cli } from './context.ts'
import { CommandError, UsageError } from './faults.ts'
import { edited, givenJson } from './given.ts'
import type { Paint } from './output.ts'
import { steadily } from './steadily.ts'

/**
 * Hands a text to the user's editor, and what comes back to `send`, until that takes it: what it refuses is shown, and
 * nothing of their work is lost.
 */
export async function editUntilTaken<Answer>(
  cli: Cli,
  before: string,
  how: Parameters<typeof edited>[2],
  send: (text: string) => Promise<Answer>,
): Promise<Answer> {
  let text = before
  for (;;) {
    text = await edited(cli, text, how)
    try {
      const written = text
      return await steadily(cli, () => send(written))
    } catch (error) {
      const isTheirs =
        error instanceof UsageError || (error instanceof ApiError && [409, 422].includes(error.status))
      if (!isTheirs) throw error
      cli.note(error.message)
      if (!(await cli.io.agrees?.('Edit it again?'))) throw new CommandError('Nothing was changed.')
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`expected JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

type Change = { path: string; before?: unknown; after?: unknown }

/** What was changed, a line each for what was and what is. */
export const changeLines = (changes: readonly Change[], p: Paint): string =>
  changes
    .flatMap(({ path, before, after }) => [
      p.bold(path || '(whole)'),
      ...(before === undefined ? [] : [p.red(`  - ${JSON.stringify(before)}`)]),
      ...(after === undefined ? [] : [p.green(`  + ${JSON.stringify(after)}`)]),
    ])
    .join('\n')

/** Mends the data of an event for the subscriber that could not handle it. */
export async function editDead(
  cli: Cli,
  id: string,
  { data, ...named }: Named & { data?: string },
): Promise<void> {
  const given = data === undefined ? undefined : { value: await givenJson(cli, '--data', data) }
  const api = await cli.api()
  const send = (value: unknown) => api.editDead(id, { ...named, data: value })
  const answer =
    given === undefined
      ? await editUntilTaken(
          cli,
          `${JSON.stringify(await presentData(api, id, named), null, 2)}\n`,
          { name: 'data.json', instead: '--data <file|-|json>' },
          (text) => send(parsed(text)),
        )
      : await send(given.value)
  cli.show(answer, ({ outcome, subscriber: to, replacement, changes }, p) =>
    [
      changeLines(changes, p),
      outcome === 'already'
        ? `It was edited so already: ${to} gets ${p.bold(replacement)} in its place.`
        : `${p.bold(to)} gets ${p.bold(replacement)} in its place: loadpath why ${replacement}`,
    ].join('\n'),
  )
}

async function presentData(api: Api, id: string, named: Named): Promise<unknown> {
  const { newest, event } = await api.deadLetter(id, named)
  return newest ?? event.data
}
