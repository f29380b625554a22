import { readFile } from 'node:fs/promises'
import type { Cli } from './context.ts'
import { CommandError, UsageError } from './faults.ts'

/** What an option names: `-` is standard input, and anything else (an `@` before it or not) a file. */
export async function givenText({ io }: Pick<Cli, 'io'>, option: string, given: string): Promise<string> {
  if (given === '-') return io.stdin()
  const file = given.startsWith('@') ? given.slice(1) : given
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new UsageError(`${option}: expected a file or -, and ${file} cannot be read (${why})`)
  }
}

/** What an option gives as JSON: itself, or in a file, or on standard input (`-`). */
export async function givenJson(cli: Pick<Cli, 'io'>, option: string, given: string): Promise<unknown> {
  if (given.trim() === '') throw new UsageError(`${option} is empty: expected JSON, a file, or -`)
  const own = parsed(given)
  if ('value' in own) return own.value
  // what begins like JSON was meant to be some, and is no file
  if (/^\s*[[{"]/.test(given)) throw new UsageError(`${option}: expected JSON: ${own.error}`)
  const read = parsed(await givenText(cli, option, given))
  if ('value' in read) return read.value
  throw new UsageError(`${option}: expected JSON in ${given}: ${read.error}`)
}

function parsed(text: string): { value: unknown } | { error: string } {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * The text as it is after the user has edited it. `instead`: the options by which it can be given without a terminal.
 */
export async function edited(
  { io }: Pick<Cli, 'io'>,
  text: string,
  { name, instead }: { name: string; instead: string },
): Promise<string> {
  if (io.edit === undefined) throw new UsageError(`There is no terminal to edit it in: give ${instead}`)
  const after = await io.edit(text, name)
  if (after.trim() === text.trim()) throw new CommandError('Nothing was changed, so nothing was done.')
  return after
}
