import '@hono/zod-openapi'
import { HTTPException } from 'hono/http-exception'
import * as z from 'zod'
import { Failure, type FailureCode, failures, problem, reasonForLogs } from '../core/errors.ts'
import { faultsOf } from '../core/event/versions.ts'
import type { Api, ApiDeps } from './context.ts'
import { asAskedPath, howIdsAreSent } from './ids.ts'

/** RFC 9457, with what is wrong where. */
const problemBody = z
  .object({
    type: z.string().openapi({ example: 'https://loadpath.dev/problems/Invalid' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: z.string().optional(),
    faults: z
      .array(z.object({ path: z.string(), expected: z.string(), got: z.string() }))
      .optional()
      .openapi({ description: 'each fault: where, what was expected and what was found there' }),
  })
  .openapi('Problem')

const answer = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemBody } },
})

/** Every route may answer these. */
export const always = {
  500: answer('Something went wrong here'),
  503: answer(failures.Unavailable.title),
}
/** Every route that needs a key. */
export const refused = {
  400: answer(failures.Malformed.title),
  401: answer(failures.Unauthenticated.title),
  403: answer(failures.Forbidden.title),
  422: answer(failures.Invalid.title),
  ...always,
}
export const missing = { 404: answer(failures.NotFound.title) }
export const conflicting = { 409: answer('It is there already, ambiguous, or changed by somebody else') }
/** Every route with a body. */
export const badBody = { 413: answer(failures.TooLarge.title), 415: answer(failures.UnsupportedMedia.title) }

/** A JSON answer. */
export const json = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: { 'application/json': { schema } },
})

/** A JSON body. It is required, so that one without content type is refused and not taken for nothing. */
export const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true as const,
  content: { 'application/json': { schema } },
})

/** What zod found wrong, as a failure; `root` names what the paths start from. */
export const invalid = (error: z.ZodError, value: unknown, root: string): Failure =>
  new Failure('Invalid', failures.Invalid.title, { faults: faultsOf(error, value, root) })

/** Where the parts of a request stand in the paths of faults: a body's members by their own names. */
const roots: Readonly<Record<string, string>> = { json: '', query: 'query', param: 'path', header: 'header' }

/** For `defaultHook`: what a route's schemas refuse is thrown like everything else. */
export function refuseInvalid(
  result: { target: string; data?: unknown } & ({ success: true } | { success: false; error: z.ZodError }),
): void {
  if (!result.success) throw invalid(result.error, result.data, roots[result.target] ?? result.target)
}

const other = (status: number, code: string, title: string, detail: string) => ({
  type: `https://loadpath.dev/problems/${code}`,
  title,
  status,
  detail,
})

const send = (answered: { status: number }, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(answered), {
    status: answered.status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  })

const codeOfStatus: Readonly<Record<number, FailureCode>> = {
  400: 'Malformed',
  413: 'TooLarge',
  415: 'UnsupportedMedia',
}

/** What Hono itself refuses, by the same names as everything else. */
function asFailure(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error
  if (!(error instanceof HTTPException)) return undefined
  const code = codeOfStatus[error.status]
  return code && new Failure(code, error.message)
}

/** `/v1/events/a/b` was to be `/v1/events/{id}`, maybe. */
const mayHoldAnId = /^\/v1\/[^/]+\/.*\//

/** Every error leaves as problem+json; of an unexpected one nobody outside learns more than where to find it in the log. */
export function answerErrors(app: Api, deps: Pick<ApiDeps, 'log' | 'newId'>): void {
  app.onError((error, c) => {
    const failure = asFailure(error)
    if (failure !== undefined) {
      const headers: Record<string, string> =
        failure.code === 'Unauthenticated' ? { 'www-authenticate': 'Bearer realm="loadpath"' } : {}
      return send(problem(failure), headers)
    }
    const reference = deps.newId()
    // the first lines are the message again
    const stack = error.stack?.split('\n').filter((line) => /^\s+at /.test(line))
    deps.log({ level: 'error', reference, path: c.req.path, reason: reasonForLogs(error), stack })
    return send(other(500, 'Internal', 'Something went wrong here', `the log has it under ${reference}`))
  })
  app.notFound((c) => {
    const path = asAskedPath(c.req.path)
    const hint = mayHoldAnId.test(path) ? `; ${howIdsAreSent}` : ''
    return send(problem(new Failure('NotFound', `nothing answers at ${path}${hint}`)))
  })
}

/** Paths that exist under another method answer 405 and say which. To be called when all routes stand. */
export function answerOtherMethods(app: Api): void {
  const methods = new Map<string, Set<string>>()
  for (const { path, method } of app.routes)
    if (method !== 'ALL') methods.set(path, (methods.get(path) ?? new Set()).add(method))
  for (const [path, known] of methods) {
    const allow = [...known, ...(known.has('GET') ? ['HEAD'] : [])].join(', ')
    app.all(path, () =>
      send(other(405, 'MethodNotAllowed', 'This path does not take that method', `it takes ${allow}`), {
        allow,
      }),
    )
  }
}
