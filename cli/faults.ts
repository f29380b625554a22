/** Wrong usage: exit code 2. The message says what was expected. */
export class UsageError extends Error {}

/** It could not be done. `document` is what `--json` says instead of the message; exit code 2: what was asked for does not fit. */
export class CommandError extends Error {
  readonly document: Readonly<Record<string, unknown>>
  readonly exitCode: 1 | 2

  constructor(
    message: string,
    document: Readonly<Record<string, unknown>> = { title: message },
    exitCode: 1 | 2 = 1,
  ) {
    super(message)
    this.document = document
    this.exitCode = exitCode
  }
}
