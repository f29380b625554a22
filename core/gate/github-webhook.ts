import { createHmac, timingSafeEqual } from 'node:crypto'
import * as z from 'zod'
import { repositoryKey } from '../../events/github.ts'
import { Failure } from '../errors.ts'

/**
 * Whether `signature` (`sha256=<hex>`) is that of the raw body under one of the secrets. Takes as long for a wrong
 * signature as for a right one. An empty secret signs nothing.
 */
export function isSigned(
  body: Uint8Array,
  signature: string | undefined,
  secrets: readonly string[],
): boolean {
  const hex = /^sha256=([0-9a-f]{64})$/i.exec(signature ?? '')?.[1]
  if (hex === undefined) return false
  const given = Buffer.from(hex, 'hex')
  return secrets
    .filter((secret) => secret !== '')
    .map((secret) => timingSafeEqual(createHmac('sha256', secret).update(body).digest(), given))
    .includes(true)
}

/** GitHub's words in kebab case: pull_request + ready_for_review -> github.pull-request.ready-for-review. */
export const githubType = (event: string, action: string | undefined): string =>
  ['github', event, ...(action === undefined ? [] : [action])]
    .map((word) => word.replaceAll('_', '-'))
    .join('.')

const payloadSchema = z.looseObject({
  action: z.string().max(100).optional(),
  repository: z.looseObject({ full_name: z.string(), html_url: z.string().optional() }).optional(),
  organization: z.looseObject({ login: z.string() }).optional(),
})

/**
 * The CloudEvent of a webhook: GitHub's delivery id is its id, the repository (or organisation) its source.
 * @throws Failure Malformed when GitHub's own headers are missing or the body is no JSON object.
 */
export function githubEvent(request: {
  event: string | undefined
  delivery: string | undefined
  body: Uint8Array
}): Record<string, unknown> & { id: string } {
  const { event, delivery } = request
  if (!event || !/^[a-z0-9_]{1,100}$/.test(event))
    throw new Failure('Malformed', 'the x-github-event header is missing, or is none of GitHub’s events')
  if (!delivery) throw new Failure('Malformed', 'the x-github-delivery header is missing')
  const payload = payloadOf(request.body)
  const repository = payload.repository?.full_name
  const owner = repository ?? payload.organization?.login
  return {
    specversion: '1.0',
    id: delivery,
    source: owner === undefined ? 'https://github.com' : `https://github.com/${owner}`,
    type: githubType(event, payload.action),
    ...(repository === undefined ? {} : { partitionkey: repositoryKey(repository) }),
    datacontenttype: 'application/json',
    data: payload,
  }
}

function payloadOf(body: Uint8Array): z.infer<typeof payloadSchema> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (error) {
    throw new Failure(
      'Malformed',
      "the body is no JSON: set the webhook's content type to application/json",
      {
        cause: error,
      },
    )
  }
  const parsed = payloadSchema.safeParse(value)
  if (!parsed.success)
    throw new Failure(
      'Malformed',
      `the body is no GitHub payload: ${parsed.error.issues[0]?.path.join('.') || 'the whole'} does not fit`,
    )
  return parsed.data
}
