import { homedir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** A stream of text that goes out. `colours`: it is a terminal that shows them. */
export type Sink = { write: (text: string) => void; colours: boolean }

/** What the command line needs of the process it runs in; tests give their own. */
export type Io = {
  env: Readonly<Record<string, string | undefined>>
  /** the folder under which `.config/loadpath` lies */
  home: string
  /** columns of the terminal, for help */
  columns: number | undefined
  stdin: () => Promise<string>
  out: Sink
  err: Sink
  now: () => number
  /** At a terminal: opens the user's editor with this text, in a file of this name, and answers what was saved. */
  edit?: ((text: string, name: string) => Promise<string>) | undefined
  /** From the first call on, Ctrl-C aborts this signal instead of ending the process. */
  interrupted: () => AbortSignal
  /** At a terminal: asks, and answers whether the user agrees. Nothing said is a no. */
  agrees: ((question: string) => Promise<boolean>) | undefined
}

const wantsColours = (stream: NodeJS.WriteStream): boolean =>
  (process.env.NO_COLOR ?? '') === '' && stream.isTTY === true && process.env.TERM !== 'dumb'

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

/** Loaded when it is needed: most commands edit nothing. */
async function editInTerminal(text: string, name: string): Promise<string> {
  const { edit } = await import('./editor.ts')
  return edit(text, name)
}

async function askInTerminal(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim())
  } finally {
    lines.close()
  }
}

/** Waits; an abort of `signal` ends it early. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** The process's own. The reader of a pipe may go away at any time: that is no failure. */
export function processIo(): Io {
  let interruption: AbortController | undefined
  const interrupted = () => {
    if (interruption) return interruption.signal
    const controller = new AbortController()
    interruption = controller
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort())
    return controller.signal
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(0)
  })
  return {
    env: process.env,
    home: homedir(),
    columns: process.stdout.columns,
    stdin: readStdin,
    out: { write: (text) => process.stdout.write(text), colours: wantsColours(process.stdout) },
    err: { write: (text) => process.stderr.write(text), colours: wantsColours(process.stderr) },
    now: Date.now,
    edit: process.stdin.isTTY && process.stdout.isTTY ? editInTerminal : undefined,
    interrupted,
    agrees: process.stdin.isTTY && process.stderr.isTTY ? askInTerminal : undefined,
  }
}
