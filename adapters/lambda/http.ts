import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda'
import type { HttpRequest } from '../../core/gate/cloudevents-http.ts'

/** What API Gateway (payload format 2.0) hands over, as a request with the body's own bytes. */
export const requestOf = ({
  requestContext,
  rawPath,
  headers,
  body,
  isBase64Encoded,
}: APIGatewayProxyEventV2): HttpRequest => ({
  method: requestContext.http.method,
  path: rawPath,
  headers,
  body: Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8'),
})

export const answerOf = (answer: {
  status: number
  contentType: string
  headers?: Readonly<Record<string, string>>
  body: unknown
}): APIGatewayProxyStructuredResultV2 => ({
  statusCode: answer.status,
  headers: { ...answer.headers, 'content-type': answer.contentType },
  body: JSON.stringify(answer.body),
})
