import '@hono/zod-openapi'
import * as z from 'zod'

/**
 * An id in a path. API Gateway decodes paths before anybody sees them (and cuts them at a decoded `?`), so that an id
 * with such characters cannot be percent-encoded: it is sent as `base64url:` and its UTF-8 in base64url.
 */
export const idInPath = z.string().min(1).openapi({
  description:
    'An id; one with characters beyond letters, digits and `-._~:@` is sent as `base64url:` and its UTF-8 in base64url.',
  example: 'c7f6a2c0-9d7e-5c61-8f0d-2f3f1b7c9e11',
})

/**
 * The path of a request that API Gateway has decoded, fit for a URL again. What can stand in an encoded path is left
 * alone, so that one which nobody decoded stays as it is.
 */
export const asUrlPath = (rawPath: string): string =>
  rawPath
    .replaceAll(/%(?![0-9A-Fa-f]{2})/g, '%25')
    .replaceAll(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/gu, (mark) => encodeURIComponent(mark.toWellFormed()))
