import { z } from '@hono/zod-openapi'
import { Failure } from '../core/errors.ts'

/**
 * An id in a path. API Gateway decodes paths before anybody sees them (and cuts them at a decoded `?`), so that an id
 * with such characters cannot be percent-encoded: it is sent as `base64url:` and its UTF-8 in base64url.
 */
export const idInPath = z.string().min(1).openapi({
  description:
    'An id; one with characters beyond letters, digits and `-._~:@` is sent as `base64url:` and its UTF-8 in base64url.',
  example: 'c7f6a2c0-9d7e-5c61-8f0d-2f3f1b7c9e11',
})

const encoded = 'base64url:'

/** @throws Failure Malformed */
export function readId(text: string): string {
  if (!text.startsWith(encoded)) return text
  const bytes = Buffer.from(text.slice(encoded.length), 'base64url')
  const id = bytes.toString('utf8')
  if (id === '' || !Buffer.from(id, 'utf8').equals(bytes))
    throw new Failure('Malformed', 'this is no UTF-8 in base64url', {
      faults: [{ path: 'path.id', expected: `${encoded} and UTF-8 in base64url`, got: text.slice(0, 80) }],
    })
  return id
}

/** How a client writes an id into a path. */
export const writeId = (id: string): string =>
  /^[A-Za-z0-9\-._~:@]+$/.test(id) && !id.startsWith(encoded)
    ? id
    : `${encoded}${Buffer.from(id, 'utf8').toString('base64url')}`

/**
 * The path of a request that API Gateway has decoded, fit for a URL again. What can stand in an encoded path is left
 * alone, so that one which nobody decoded stays as it is.
 */
export const asUrlPath = (rawPath: string): string =>
  rawPath
    .replaceAll(/%(?![0-9A-Fa-f]{2})/g, '%25')
    .replaceAll(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/gu, (mark) => encodeURIComponent(mark.toWellFormed()))
