import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { expect, test } from 'vitest'
import { answerOf, requestOf } from './http.ts'

const event = (given: object) =>
  ({
    rawPath: '/events',
    headers: { 'content-type': 'application/json' },
    requestContext: { http: { method: 'POST' } },
    isBase64Encoded: false,
    ...given,
  }) as object as APIGatewayProxyEventV2

test.each([
  ['text', { body: 'ä' }, Buffer.from('ä')],
  ['base64, as bytes that are no text', { body: 'AP8=', isBase64Encoded: true }, Buffer.from([0, 255])],
  ['nothing', {}, Buffer.alloc(0)],
])('a request whose body came as %s has its own bytes', (_, given, body) => {
  expect(requestOf(event(given))).toEqual({
    method: 'POST',
    path: '/events',
    headers: { 'content-type': 'application/json' },
    body,
  })
})

test('an answer keeps its headers, and its type is what it says it is', () => {
  const headers = { 'www-authenticate': 'Bearer' }
  expect(answerOf({ status: 401, contentType: 'application/problem+json', headers, body: { a: 1 } })).toEqual(
    {
      statusCode: 401,
      headers: { 'www-authenticate': 'Bearer', 'content-type': 'application/problem+json' },
      body: '{"a":1}',
    },
  )
})
