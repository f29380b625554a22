import '@hono/zod-openapi'
import * as z from 'zod'
import { readId, writeId } from '../core/path-id.ts'

/** A path that was cut up by an id is answered with this, and the document says it once for all. */
export const howIdsAreSent =
  'in a path an id with characters beyond letters, digits and `-._~:@` is sent as `base64url:` and its UTF-8 in base64url (`a/b`: `base64url:YS9i`)'

/**
 * An id in a path. API Gateway decodes paths before anybody sees them (and cuts them at a decoded `?`), so that an id
 * with such characters cannot be percent-encoded: it is sent as `base64url:` and its UTF-8 in base64url.
 */
export const idInPath = z.string().min(1).transform(readId).pipe(z.string().max(256)).openapi({
  type: 'string',
  description:
    'An id; one with characters beyond letters, digits and `-._~:@` is sent as `base64url:` and its UTF-8 in base64url.',
  example: 'c7f6a2c0-9d7e-5c61-8f0d-2f3f1b7c9e11',
})

/** What a URL takes for a step to here or one up, encoded or not. */
const dots = /(?<=\/)(?:\.|%2e){1,2}(?=\/|$)/gi

/**
 * The path of a request that API Gateway has decoded, fit for a URL again. What can stand in an encoded path is left
 * alone, so that one which nobody decoded stays as it is. `.` and `..` are ids like others: a URL would walk by them, to
 * another route than the one that was asked for.
 */
export const asUrlPath = (rawPath: string): string =>
  rawPath
    .replaceAll(dots, (id) => writeId(id.replaceAll(/%2e/gi, '.')))
    .replaceAll(/%(?![0-9A-Fa-f]{2})/g, '%25')
    .replaceAll(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/gu, (mark) => encodeURIComponent(mark.toWellFormed()))

/** Such a path as whoever asked knows it. */
export const asAskedPath = (urlPath: string): string =>
  urlPath.replaceAll(/(?<=\/)base64url:(?:Lg|Li4)(?=\/|$)/g, readId)
