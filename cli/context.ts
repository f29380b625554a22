import type { Api } from './api.ts'
import { CommandError, UsageError } from './faults.ts'
import type { Io } from './io.ts'
import { type Paint, paint, safe } from './output.ts'
import { type Stage, type StageOptions, stageOf } from './stage.ts'

export type GlobalOptions = StageOptions & { json?: boolean }

/** What a command works with; made before the options are known and asked after. */
export type Cli = {
  io: Io
  /** Of the answer to standard output. `render` is for people and gets text that is safe for a terminal. */
  show: <T>(answer: T, render: (answer: T, paint: Paint) => string) => void
  /** One of a stream: `--json` writes it on one line. */
  stream: <T>(item: T, render: (item: T, paint: Paint) => string) => void
  /** To standard error, for people only: what is being done, what to do next. */
  note: (text: string) => void
  json: () => boolean
  stage: () => Stage
  api: () => Promise<Api>
  /** The command did what it does and the answer is no: exit code 1. */
  failed: () => void
  exitCode: () => number
}

export function createCli(io: Io, options: () => GlobalOptions): Cli {
  const colours = paint(io.out.colours)
  const json = () => options().json === true
  const line = (text: string) => io.out.write(`${text}\n`)
  let stage: Stage | undefined
  let exitCode = 0
  const stageOnce = () => {
    stage ??= stageOf(io, options())
    return stage
  }
  return {
    io,
    json,
    show: (answer, render) => line(json() ? JSON.stringify(answer, null, 2) : render(safe(answer), colours)),
    stream: (item, render) => line(json() ? JSON.stringify(item) : render(safe(item), colours)),
    note: (text) => {
      if (!json() && text !== '') io.err.write(`${paint(io.err.colours).dim(safe(text))}\n`)
    },
    stage: stageOnce,
    api: async () => {
      const { connect } = await import('./api.ts')
      return connect(stageOnce())
    },
    failed: () => {
      exitCode = 1
    },
    exitCode: () => exitCode,
  }
}

/** The error as people or, with `--json`, programs read it; on standard error. */
export function report(io: Io, json: boolean, error: unknown): void {
  const message = error instanceof Error ? error.message || error.name : String(error)
  const red = paint(io.err.colours).red
  if (json) {
    const document = error instanceof CommandError ? error.document : { title: message }
    io.err.write(`${JSON.stringify({ error: document })}\n`)
  } else io.err.write(`${red('error:')} ${safe(message)}\n`)
  const expected = error instanceof CommandError || error instanceof UsageError
  if (!expected && error instanceof Error && io.env.LOADPATH_DEBUG) io.err.write(`${error.stack}\n`)
}
