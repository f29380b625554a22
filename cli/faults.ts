/** Wrong usage: exit code 2. The message says what was expected. */
export class UsageError extends Error {}

/** It could not be done: exit code 1. `document` is what `--json` says instead of the message. */
export class CommandError extends Error {
  readonly document: Readonly<Record<string, unknown>>

  constructor(message: string, document: Readonly<Record<string, unknown>> = { title: message }) {
    super(message)
    this.document = document
  }
}
