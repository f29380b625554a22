import { z } from 'zod'
import { CommandError } from './faults.ts'

export type Request = {
  method: 'GET' | 'POST' | 'DELETE'
  /** under the base address, with a slash first */
  path: string
  headers: Readonly<Record<string, string>>
  body?: string
}
export type Answer = { status: number; text: string }

/** Carries a request to the API and its answer back. A request that got no answer throws a CommandError. */
export type Transport = (request: Request) => Promise<Answer>

const problem = z.looseObject({
  title: z.string(),
  detail: z.string().optional(),
  status: z.number().optional(),
  faults: z.array(z.looseObject({ path: z.string(), expected: z.string(), got: z.string() })).optional(),
})

/** The API's answer was a failure; `problem` is its body. */
export class ApiError extends CommandError {
  readonly status: number
  readonly faults: readonly { path: string; expected: string; got: string }[]

  constructor(status: number, said: z.infer<typeof problem>, hint: string, exitCode: 1 | 2 = 1) {
    const faults = said.faults ?? []
    const lines = faults.map(
      (fault) => `  ${asOption(fault.path) || '(whole)'}: expected ${fault.expected}, got ${fault.got}`,
    )
    super(
      [`${said.detail ?? said.title} (${status})`, ...lines, ...(hint === '' ? [] : [hint])].join('\n'),
      said,
      exitCode,
    )
    this.status = status
    this.faults = faults
  }
}

const hints: Readonly<Record<number, string>> = {
  401: 'Set LOADPATH_API_KEY, or make a key with AWS credentials: loadpath keys create <name> --scope admin --aws --save',
  403: 'This key does not allow that: see its scopes with `loadpath keys list`, or make one with `loadpath keys create`',
}

/** The API names what it is given; who reads this gives options. */
const asOption = (path: string): string => path.replace(/^query\.(?=source$)/, '--')

/** HTTP, with a deadline in milliseconds. `start` is the command that would start what does not answer. */
export function httpTransport(base: string, options: { start: string; deadline?: number }): Transport {
  const deadline = options.deadline ?? 30_000
  return async ({ method, path, headers, body }) => {
    try {
      const response = await fetch(`${base}${path}`, {
        method,
        headers,
        signal: AbortSignal.timeout(deadline),
        ...(body === undefined ? {} : { body }),
      })
      return { status: response.status, text: await response.text() }
    } catch (error) {
      throw noAnswer(error, base, options.start, deadline)
    }
  }
}

function noAnswer(error: unknown, base: string, start: string, deadline: number): CommandError {
  if (error instanceof Error && error.name === 'TimeoutError')
    return new CommandError(`${base} did not answer within ${deadline / 1000} s`)
  return new CommandError(`Nothing answers at ${base} (${causeOf(error)}): is it running? ${start}`)
}

/** `ECONNREFUSED` where fetch says no more than that it failed. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.cause === undefined ? error.message : causeOf(error.cause)
}

export type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** `/v1/events/a%2Fb?source=x` of its parts; undefined ones are left out, and lists stand there member by member. */
export function path(segments: readonly string[], query: Query = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]): [string, string][] => {
    if (value === undefined) return []
    return [value].flat().map((one) => [name, String(one)])
  })
  const search = new URLSearchParams(pairs).toString()
  return `/${segments.map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`
}

export type Send = <Schema extends z.ZodType>(
  schema: Schema,
  request: {
    method?: Request['method']
    path: string
    headers?: Record<string, string>
    json?: unknown
    body?: string
    /** what is sent are the options of a command: where they do not fit, it is wrong usage */
    options?: boolean
  },
) => Promise<z.infer<Schema>>

/**
 * Sends and parses: an answer that is a problem, or no JSON, or of another shape throws an error for people.
 * Unknown members of an answer are kept, so that an older CLI shows what a newer API says.
 */
export function sender(transport: Transport, base: string, key: string | undefined): Send {
  return async (schema, { method = 'GET', path, headers = {}, json, body, options = false }) => {
    const answer = await transport({
      method,
      path,
      headers: {
        accept: 'application/json',
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json === undefined ? (body === undefined ? {} : { body }) : { body: JSON.stringify(json) }),
    })
    const said = parseJson(answer.text)
    if (answer.status >= 400) throw refusal(answer, said, { base, key, options })
    const parsed = schema.safeParse(said)
    if (parsed.success) return parsed.data
    throw new CommandError(
      `${base}${path} answered ${answer.status} with something else than expected: ${z.prettifyError(parsed.error)}`,
    )
  }
}

function refusal(
  answer: Answer,
  said: unknown,
  { base, key, options }: { base: string; key: string | undefined; options: boolean },
): CommandError {
  const parsed = problem.safeParse(said)
  if (!parsed.success)
    return new CommandError(
      `${base} answered ${answer.status} ${answer.text.slice(0, 200).trim()}\nThat is not Loadpath's API: is the address right?`,
    )
  const hint =
    answer.status === 401 && key === undefined
      ? `No API key is configured. ${hints[401]}`
      : hints[answer.status]
  return new ApiError(
    answer.status,
    parsed.data,
    hint ?? '',
    options && isWrongUsage(answer.status, parsed.data.faults) ? 2 : 1,
  )
}

/** What is not found is no wrong usage, but for a name that is none of those that there are. */
const isWrongUsage = (status: number, faults: ApiError['faults'] = []): boolean =>
  [400, 422].includes(status) || (status === 404 && faults.some(({ expected }) => /^one of /.test(expected)))

function parseJson(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    // not JSON: the schema refuses it and the message shows the text
    return text
  }
}
