import { execute } from '../../cli/execute.ts'
import type { Io } from '../../cli/io.ts'

export type Said = { code: number; out: string; err: string }

export type Terminal = {
  env?: Readonly<Record<string, string | undefined>>
  home?: string
  stdin?: string
  colours?: boolean
  signal?: AbortSignal
  now?: () => number
  /** called with each piece of output */
  onOut?: (text: string) => void
}

/** Runs a command line in this process, as a terminal (or, by default, a pipe) would see it. */
export async function loadpath(words: readonly string[], terminal: Terminal = {}): Promise<Said> {
  const { env = {}, home = '/nowhere', stdin = '', colours = false, signal, now = Date.now, onOut } = terminal
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
    interrupted: () => signal ?? new AbortController().signal,
  }
  return { code: await execute(words, io), ...said }
}
