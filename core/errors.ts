/**
 * Every failure that has a name. `terminal`: trying again cannot help. `status`: over HTTP. `exit`: of the CLI.
 * The code is also the error name that state machines match, and the last part of the problem type.
 */
export const failures = {
  Invalid: { terminal: true, status: 422, exit: 1, title: 'The request or event does not fit its schema' },
  Malformed: { terminal: true, status: 400, exit: 1, title: 'The request could not be read' },
  Unauthenticated: { terminal: true, status: 401, exit: 1, title: 'No valid credential' },
  Forbidden: { terminal: true, status: 403, exit: 1, title: 'The credential does not allow this' },
  NotFound: { terminal: true, status: 404, exit: 1, title: 'There is no such thing' },
  Conflict: { terminal: true, status: 409, exit: 1, title: 'It is already there, and different' },
  TooLarge: { terminal: true, status: 413, exit: 1, title: 'Too large' },
  UnsupportedMedia: { terminal: true, status: 415, exit: 1, title: 'This content type is not understood' },
  ApprovalDenied: { terminal: true, status: 409, exit: 1, title: 'The approval was denied' },
  ApprovalExpired: { terminal: true, status: 409, exit: 1, title: 'The approval expired' },
  Busy: { terminal: false, status: 409, exit: 1, title: 'Somebody else changed it at the same time' },
  NewerVersion: {
    terminal: false,
    status: 503,
    exit: 1,
    title: 'Written by a newer version than this code knows',
  },
  Unavailable: { terminal: false, status: 503, exit: 1, title: 'Something needed does not answer' },
} as const satisfies Record<string, { terminal: boolean; status: number; exit: number; title: string }>

export type FailureCode = keyof typeof failures

/** One fault in what was sent: where, what was expected and what was found there. */
export type Fault = { path: string; expected: string; got: string }

/** A failure with a name of the table above. `name` is the code, so that Step Functions can match it. */
export class Failure extends Error {
  readonly code: FailureCode
  readonly faults: readonly Fault[]

  constructor(
    code: FailureCode,
    message: string,
    options: { faults?: readonly Fault[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.name = code
    this.code = code
    this.faults = options.faults ?? []
  }
}

/** Unknown errors are retryable: only what is known to be hopeless is given up at once. */
export const isTerminal = (error: unknown): boolean =>
  error instanceof Failure && failures[error.code].terminal

/** A sentence for people, whatever was thrown. Never `{}`, never empty, at most 1,000 characters. */
export function reasonOf(error: unknown): string {
  return describe(error).slice(0, 1000)
}

function describe(error: unknown): string {
  if (error instanceof Failure)
    return [
      error.message,
      ...error.faults.map((f) => `${f.path}: expected ${f.expected}, got ${f.got}`),
    ].join('; ')
  if (error instanceof AggregateError)
    return [error.message, ...error.errors.map(describe)].filter((part) => part !== '').join('; ')
  if (error instanceof Error) {
    const own = error.message === '' ? error.name : `${error.name}: ${error.message}`
    return error.cause === undefined ? own : `${own} (${describe(error.cause)})`
  }
  if (typeof error === 'string' && error !== '') return error
  return `thrown: ${JSON.stringify(error) ?? String(error)}`
}

/** The RFC 9457 body for a failure. `instance` is the request or event it is about. */
export function problem(error: Failure, instance?: string) {
  const { status, title } = failures[error.code]
  return {
    type: `https://loadpath.dev/problems/${error.code}`,
    title,
    status,
    detail: error.message,
    ...(instance === undefined ? {} : { instance }),
    ...(error.faults.length === 0 ? {} : { faults: error.faults }),
  }
}
