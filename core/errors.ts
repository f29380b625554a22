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

/** Written by newer code than this: it waits until that is here too, however long that takes. */
export const isOfNewerCode = (error: unknown): boolean =>
  error instanceof Failure && error.code === 'NewerVersion'

/** A race that others won, or something that they have in hand: nobody's failure. */
export const isBusy = (error: unknown): boolean => error instanceof Failure && error.code === 'Busy'

/** Seconds until it is tried again: a release takes a few minutes, for its canary. */
export const secondsForNewerCode = 900

/**
 * A sentence for people, whatever was thrown. Never `{}`, never blank, at most 1,000 characters, each a whole one: no
 * store takes the half of one. Does not throw.
 * It shows what was found in an event, so it belongs beside the event: to its sender, or into its delivery.
 */
export const reasonOf = (error: unknown): string =>
  sentence(error, {
    fault: (fault) => `${placeOf(fault)}${gotten}${fault.got}`,
    message: ({ message }) => message,
  })

/**
 * The same for logs: where and what was expected, never what was found there. That may be anybody's data; so may the text
 * of a syntax error, which shows what is no JSON.
 */
export const reasonForLogs = (error: unknown): string =>
  sentence(error, {
    fault: placeOf,
    message: (thrown) => (thrown instanceof SyntaxError ? 'a text does not have its syntax' : thrown.message),
  })

type Telling = { fault: (fault: Fault) => string; message: (error: Error) => string }

/** A reason that `reasonOf` has told, up to the first value of an event in it. */
export const withoutValues = (reason: string): string => {
  const at = reason.indexOf(gotten)
  return at < 0 ? reason : `${reason.slice(0, at)} …`
}

const gotten = ', got '

const placeOf = ({ path, expected }: Fault): string => `${path}: expected ${expected}`

function sentence(error: unknown, telling: Telling): string {
  try {
    return describe(error, telling, 4).slice(0, 1000).toWellFormed()
  } catch {
    // a circle, or members that throw when they are read: there is no more to say
    return 'thrown: something that cannot be told'
  }
}

/** `depth`: how many causes down, for an error may be its own. */
function describe(error: unknown, telling: Telling, depth: number): string {
  if (depth === 0) return '…'
  if (error instanceof Failure)
    return [words(error.message) ?? failures[error.code].title, ...error.faults.map(telling.fault)].join('; ')
  if (error instanceof AggregateError && error.errors.length > 0)
    return [
      words(error.message) ?? [],
      ...error.errors.slice(0, 10).map((one) => describe(one, telling, depth - 1)),
    ]
      .flat()
      .join('; ')
  const issues = issuesOf(error)
  if (issues !== undefined) return `what was read does not fit its schema: ${issues}`
  if (error instanceof Error) {
    const own = [words(error.name), words(telling.message(error))]
      .filter((part) => part !== undefined)
      .join(': ')
    return `${own || 'Error'}${error.cause === undefined ? '' : ` (${describe(error.cause, telling, depth - 1)})`}`
  }
  return words(error) ?? `thrown: ${shown(error)}`
}

/** Of what zod throws, whose message is a page of JSON: where it did not fit, and why. */
function issuesOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('issues' in error) || !Array.isArray(error.issues)) return undefined
  const told = error.issues.slice(0, mostIssues).map(({ path, message }) => {
    const at = Array.isArray(path) ? path.map(String).join('.') : ''
    return `${at || '(whole)'}: ${message}`
  })
  return told.length === 0 ? undefined : told.join('; ')
}

const mostIssues = 3

/** Text that says something: a text, or what an object says that speaks like an error. */
function words(value: unknown): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value
  if (value === null || typeof value !== 'object' || !('message' in value)) return undefined
  if (typeof value.message !== 'string' || value.message.trim() === '') return undefined
  return 'name' in value && typeof value.name === 'string' && value.name !== ''
    ? `${value.name}: ${value.message}`
    : value.message
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  const text = JSON.stringify(value) ?? 'an object'
  return text === '{}' ? 'an empty object' : text
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
