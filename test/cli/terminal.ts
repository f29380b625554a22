import { execute } from '../../cli/execute.ts'
import type { Io } from '../../cli/io.ts'

export type Said = { code: number; out: string; err: string }

export type Terminal = {
  env?: Readonly<Record<string, string | undefined>>
  home?: string
  stdin?: string
  colours?: boolean
  signal?: AbortSignal
  /** what they answer when they are asked; nobody is there unless said */
  agrees?: Io['agrees']
  now?: () => number
  edit?: (text: string, name: string) => Promise<string>
  /** called with each piece of output */
  onOut?: (text: string) => void
}

/** Runs a command line in this process, as a terminal (or, by default, a pipe) would see it. */
export async function loadpath(words: readonly string[], terminal: Terminal = {}): Promise<Said> {
  const {
    env = {},
    home = '/nowhere',
    stdin = '',
    colours = false,
    signal,
    agrees,
    edit,
    now = Date.now,
    onOut,
  } = terminal
  const said = { out: '', err: '' }
  const io: Io = {
    env,
    home,
    columns: 100,
    stdin: async () => stdin,
    out: {
      colours,
      write: (text) => {
        said.out += text
        onOut?.(text)
      },
    },
    err: {
      colours,
      write: (text) => {
        said.err += text
      },
    },
    now,
    edit,
    interrupted: () => signal ?? new AbortController().signal,
    agrees,
  }
  return { code: await execute(words, io), ...said }
}
