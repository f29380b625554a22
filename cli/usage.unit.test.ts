import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { loadpath } from '../test/cli/terminal.ts'
import { processIo } from './io.ts'
import { createProgram } from './program.ts'
import { visible } from './reference.ts'

const { program } = createProgram(processIo())
const pathsOf = (command: Command, path: string[] = []): string[][] =>
  visible(command).flatMap((each) => [[...path, each.name()], ...pathsOf(each, [...path, each.name()])])
const commands = pathsOf(program)
const root = join(import.meta.dirname, '..')
const main = join(root, 'cli', 'main.ts')

describe('help', () => {
  it.each(commands.map((path) => path.join(' ')))('loadpath %s --help has examples', async (path) => {
    const { code, out, err } = await loadpath([...path.split(' '), '--help'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(new RegExp(`Examples:\n {2}\\$ loadpath ${path}`))
    expect(out).toContain('--json')
  })

  it.each(
    commands.flatMap((path) => {
      return examplesOf(path).map((line) => [line] as const)
    }),
  )('the example %s names options that exist', (line) => {
    expect(unknownIn(line)).toEqual([])
  })

  it('is there for the whole, with the exit codes', async () => {
    const { code, out } = await loadpath(['--help'])
    expect(code).toBe(0)
    for (const [name] of commands.filter((path) => path.length === 1)) expect(out).toContain(`\n  ${name}`)
    expect(out).toContain('Exit codes:')
  })

  it('starts without the AWS SDK and without zod', () => {
    const seen = new Set<string>()
    const visit = (file: string) => {
      if (seen.has(file)) return
      seen.add(file)
      const text = readFileSync(file, 'utf8')
      for (const [, specifier = ''] of text.matchAll(/^(?:import|export) (?!type )[\w*{},\s]*?'([^']+)'/gm))
        if (specifier.startsWith('.')) visit(join(dirname(file), specifier))
        else seen.add(specifier)
    }
    visit(main)
    expect([...seen].filter((each) => !each.startsWith('/')).sort()).toEqual([
      'commander',
      'node:os',
      'node:timers/promises',
    ])
  })
})

function examplesOf(path: string[]): string[] {
  let command = program
  for (const name of path) command = visible(command).find((each) => each.name() === name) ?? command
  const written: string[] = []
  command.configureOutput({ ...program.configureOutput(), writeOut: (text) => written.push(text) })
  command.outputHelp()
  return [...written.join('').matchAll(/^ {2}\$ (.*loadpath .*)$/gm)].map(([, line = '']) => line)
}

/** Words of `… loadpath <words> …` that name no command or option. */
function unknownIn(line: string): string[] {
  const words = /loadpath ([^|<#)"]*)/.exec(line)?.[1]?.trim().split(/\s+/) ?? []
  let command = program
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    const below = visible(command)
    if (/^--?[a-z]/.test(word)) {
      const [name] = word.split('=')
      const option = [...program.options, ...command.options].find(({ short, long }) =>
        [short, long].includes(name),
      )
      // the workflow's own fields are options of `run`
      if (option === undefined && name !== '--help' && command.name() !== 'run') return [word]
      if (option?.required && !word.includes('=')) at++
    } else if (below.length > 0) {
      const found = below.find((each) => each.name() === word)
      if (found === undefined && command.registeredArguments.length === 0) return [word]
      command = found ?? command
    }
  }
  return []
}

describe('wrong usage', () => {
  it.each([
    [['evnts'], "unknown command 'evnts'\n(Did you mean events?)"],
    [['events', 'lst'], "unknown command 'lst'\n(Did you mean list?)"],
    [['events', 'list', '--sinc', '2h'], "unknown option '--sinc'\n(Did you mean --since?)"],
    [['events', 'list', '--limit', '0'], 'expected a whole number from 1 on'],
    [['events', 'list', '--since', 'yesterday'], 'expected a time such as'],
    [['balance', '--since', '2026-02-30T00:00:00Z'], 'expected a time such as'],
    [['quarantine', 'redrive', '--all', '--rate', '1001'], 'from 1 to 1000'],
    [['runs', 'list', '--status', 'open'], 'Allowed choices are running, succeeded, failed'],
    [['why'], "missing required argument 'event'"],
    [['keys', 'create', 'me'], "required option '--scope <scope...>' not specified"],
    [['routes', 'all'], 'too many arguments'],
    [['events', 'put'], 'give a file, - for standard input, or --type'],
    [['events', 'put', 'x.json', '--type', 'a.b'], 'a file or --type, not both'],
    [['events', 'put', '--type', 'a.b', '--data', '{'], '--data: expected JSON'],
    [['routes', '--stage', 'My Stage'], 'expected a name of a-z, 0-9 and -'],
    [['up', '--stage', 'prod'], 'up is for the local stage'],
    [['run', 'test-and-validate', 'main'], 'main: expected a field such as'],
    [['run', 'test-and-validate', '--data', '{}', '--event', '1'], '--data and --event: give one of them'],
    [['run', 'test-and-validate', '--a', '1', '--a.b', '2'], '--a and --a.…: give one of them'],
    [['repositories', 'declare', 'a/b', '--branch', 'x', '--gate', 'risk:70'], '--gate risk:70: expected'],
    [['repositories', 'show', 'hello'], 'expected <owner>/<name>'],
    [['repositories', 'show', '../hello'], 'expected <owner>/<name>'],
    [['repositories', 'changes', 'a/..'], 'expected <owner>/<name>'],
    [['repositories', 'declare', '../x', '--branch', 'main'], 'expected <owner>/<name>'],
    [['builds', 'a/b/c'], 'expected <owner>/<name>'],
    ...[
      ['jobs', 'show'],
      ['jobs', 'pause'],
      ['jobs', 'resume'],
      ['jobs', 'stop'],
      ['replay', 'show'],
      ['rebuild', 'show'],
      ['replay'],
      ['rebuild'],
      ['pause'],
      ['resume'],
      ['keys', 'revoke'],
      ['run'],
      ['runs', 'show', 'test-and-validate'],
      ['runs', 'stop', 'test-and-validate'],
      ['runs', 'retry', 'test-and-validate'],
      ['approvals', 'show'],
      ['approvals', 'approve'],
      ['approvals', 'deny'],
    ].flatMap((words): [string[], string][] =>
      ['../keys', '..', '.', ''].map((id) => [[...words, id], 'expected an id: no /, and neither . nor ..']),
    ),
    [['runs', 'show', '../keys', 'r'], 'expected an id: no /'],
    ...[['events', 'show'], ['why'], ['trace'], ['dead', 'show'], ['dead', 'redrive'], ['dead', 'drop']].map(
      (words): [string[], string] => [[...words, ''], 'expected an id.'],
    ),
    [
      ['dead', 'redrive', '--all', '--subscriber', 'notify'],
      '--all means every one: leave it or the filters away',
    ],
    [
      ['dead', 'drop', '--all', '--type', 'x', '--yes'],
      '--all means every one: leave it or the filters away',
    ],
    [['dead', 'edit', 'e', '--data', ''], '--data is empty'],
    ...['show', 'edit', 'redrive', 'drop'].flatMap((name): [string[], string][] =>
      ['../keys', '', 'abc', '3f2a9c01b4dx'].map((digest) => [
        ['quarantine', name, digest],
        'expected a digest, or its first characters, 4 at least',
      ]),
    ),
  ])('%s is exit code 2 and says why', async (words, why) => {
    const { code, out, err } = await loadpath(words)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(why)
    expect(err).toMatch(/^error: /)
  })

  it.each([
    [['evnts'], "unknown command 'evnts'"],
    [['events', 'list', '--limit', '0'], 'expected a whole number from 1 on'],
    [['events', 'list', '--sinc', '2h'], "unknown option '--sinc'"],
    [['why'], "missing required argument 'event'"],
    [['events'], 'a command is missing'],
  ])('%j with --json is an error document', async (words, why) => {
    const { code, out, err } = await loadpath([...words, '--json'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(JSON.parse(err).error.title).toContain(why)
  })

  it.each([
    ['dead', 'redrive', '--all'],
    ['replay', 'notify', '--event', 'e'],
    ['rebuild', 'track-build'],
    ['resume', 'notify'],
  ])('%s %s … --rate has its bounds', async (...words) => {
    const { code, err } = await loadpath([...words, '--rate', '1001'])
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('a whole number from 1 to 1000') })
  })

  it('a group without a subcommand shows its help, as an error', async () => {
    const { code, out, err } = await loadpath(['events'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('Usage: loadpath events')
  })

  it('an address in the environment that is none is named', async () => {
    const { code, err } = await loadpath(['routes'], {
      env: { LOADPATH_STAGE: 'test', LOADPATH_API: 'localhost' },
    })
    expect(code).toBe(2)
    expect(err).toContain('LOADPATH_API=localhost: expected an address')
  })
})

describe('as a process', () => {
  const node = (words: string[], env: Record<string, string> = {}) =>
    spawn(process.execPath, [main, ...words], { env: { PATH: process.env.PATH ?? '', ...env } })

  const run = async (words: string[], env: Record<string, string> = {}) => {
    const child = node(words, env)
    const said = { out: '', err: '' }
    child.stdout.on('data', (text) => {
      said.out += text
    })
    child.stderr.on('data', (text) => {
      said.err += text
    })
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    return { code, ...said }
  }

  it('ends with the exit code, and writes no colours into a pipe', async () => {
    const wrong = await run(['evnts'])
    expect(wrong).toEqual({
      code: 2,
      out: '',
      err: "error: unknown command 'evnts'\n(Did you mean events?)\n(--help says more)\n",
    })
    const failed = await run(['routes'], {
      LOADPATH_STAGE: 'test',
      LOADPATH_API: 'http://127.0.0.1:9',
      LOADPATH_API_KEY: 'k',
    })
    expect(failed.code).toBe(1)
    expect(failed.err).toMatch(/^error: Nothing answers at http:\/\/127\.0\.0\.1:9 \(/)
    expect((await run(['--help'])).code).toBe(0)
  })

  it('runs from a link, as npx runs it, on any Node', () => {
    const out = execFileSync(process.execPath, [join(root, 'cli', 'loadpath.mjs'), 'why', '--help'], {
      encoding: 'utf8',
    })
    expect(out).toContain('Usage: loadpath why')
  })

  it('a reader that goes away is no failure', async () => {
    const child = node(['--help'])
    child.stdout.destroy()
    const code = await new Promise((resolve) => child.once('exit', resolve))
    expect(code).toBe(0)
  })
})

describe('what other pages say', () => {
  const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
    cwd: root,
    encoding: 'utf8',
  })
    .split('\n')
    .filter((path) => path !== '' && path !== 'docs/cli.md')
  const said = pages.flatMap((page) =>
    [
      ...readFileSync(join(root, page), 'utf8').matchAll(/(?:^|`|\$ )(?:npx )?(loadpath [a-z-][^`\n#]*)/gm),
    ].map(([, line = '']) => [page, line.trim()] as const),
  )

  it.each(said)('%s: %s is a command', (_, line) => {
    expect(unknownIn(line)).toEqual([])
  })
})
