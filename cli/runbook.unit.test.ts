import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { createProgram } from './program.ts'

const read = (name: string) => readFileSync(join(import.meta.dirname, '..', 'docs', name), 'utf8')

/** What somebody would copy out of a page: lines of code blocks and code within a sentence. */
function commandsIn(page: string): string[] {
  const blocks = [...page.matchAll(/^ *```\n([\s\S]*?)^ *```$/gm)].flatMap(([, block = '']) =>
    block.split('\n'),
  )
  const inline = [...page.replace(/^ *```\n[\s\S]*?^ *```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(
    ([, code = '']) => code,
  )
  return [...blocks, ...inline]
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => /^(npx )?loadpath [-a-z]/.test(line))
    .map((line) => line.replace(/^npx /, ''))
}

const nowhere = { write: () => undefined, colours: false }
const { program } = createProgram({
  env: {},
  home: '',
  columns: undefined,
  stdin: async () => '',
  agrees: async () => false,
  out: nowhere,
  err: nowhere,
  now: () => 0,
  interrupted: () => new AbortController().signal,
})

/** What is wrong with an option, whose value is the next word where it wants one; `rest` is taken from. */
function faultOfOption(word: string, rest: string[], command: Command): string | undefined {
  const [flag = '', value] = word.split('=')
  const option = [...command.options, ...program.options].find(
    ({ short, long }) => flag === short || flag === long,
  )
  if (option === undefined) return `${command.name()} has no option ${flag}`
  const takesNext = (option.required || option.optional) && value === undefined
  return takesNext && rest.shift() === undefined ? `${flag} wants a value` : undefined
}

function faultOfArguments(given: readonly string[], command: Command): string | undefined {
  const { registeredArguments: known } = command
  if (command.commands.length > 0 && known.length === 0)
    return `${command.name()} is no command by itself, or has no ${given[0]}`
  if (given.length < known.filter(({ required }) => required).length) return 'an argument is missing'
  const tooMany = given.length > known.length && !known.at(-1)?.variadic
  return tooMany ? `${given.at(-1)} is one argument too many` : undefined
}

/** What a command line that is written down would fail with, if anything. Values in <…> stand for one word. */
function faultOf(line: string): string | undefined {
  const [, ...words] = line.replaceAll(/<[^>]*>/g, '<>').split(/\s+/)
  let command: Command = program
  const given: string[] = []
  while (words.length > 0) {
    const word = words.shift() ?? ''
    if (word === '--help') return undefined
    const fault = word.startsWith('-') ? faultOfOption(word, words, command) : undefined
    if (fault !== undefined) return fault
    if (word.startsWith('-')) continue
    const below = command.commands.find((one) => one.name() === word || one.aliases().includes(word))
    if (below !== undefined && given.length === 0) command = below
    else given.push(word)
  }
  return faultOfArguments(given, command)
}

test.each(['runbook.md', 'deploy.md'])(
  'each command that docs/%s names can be typed as it stands there',
  (page) => {
    const commands = commandsIn(read(page))
    expect(commands.length).toBeGreaterThan(2)
    expect(
      commands.flatMap((line) => (faultOf(line) === undefined ? [] : [`${line}: ${faultOf(line)}`])),
    ).toEqual([])
  },
)

test('what cannot be typed is found', () => {
  expect(faultOf('loadpath check')).toBeUndefined()
  expect(faultOf('loadpath logs record ingest --since 15m --grep <text>')).toBeUndefined()
  for (const bad of [
    'loadpath chekc',
    'loadpath dead',
    'loadpath dead forget <event>',
    'loadpath check --loud',
    'loadpath why',
    'loadpath why <event> <other>',
    'loadpath logs record --since',
  ])
    expect(faultOf(bad), bad).toBeDefined()
})
