import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { z } from 'zod'
import { asking, awsSettings } from './aws.ts'
import type { Transport } from './client.ts'
import { CommandError } from './faults.ts'
import type { Stage } from './stage.ts'

const answer = z.object({
  statusCode: z.number(),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
})

/**
 * The API past its HTTP address: its function invoked by AWS credentials, with the event that API Gateway would send.
 * `authorizer.iam` is what API Gateway says of a caller that AWS has authenticated. It writes the request context
 * itself, so nobody can say it by HTTP; who may invoke the function may do everything.
 */
export async function invokeTransport(stage: Stage): Promise<Transport> {
  const config = await stage.config()
  const name = config.functions.api
  if (name === undefined) throw new CommandError(`stage ${stage.name} names no function api`)
  const client = new LambdaClient(await awsSettings(stage))
  return async ({ method, path, headers, body }) => {
    const [rawPath = '', rawQueryString = ''] = path.split('?')
    const event = {
      version: '2.0',
      routeKey: '$default',
      rawPath: decodeURIComponent(rawPath),
      rawQueryString,
      headers: { host: 'lambda', ...headers },
      requestContext: {
        accountId: config.account,
        apiId: config.apiId,
        authorizer: {
          iam: { accountId: config.account, userArn: '', userId: '', callerId: '', accessKey: '' },
        },
        domainName: 'lambda',
        domainPrefix: 'lambda',
        http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'loadpath' },
        requestId: 'loadpath-cli',
        routeKey: '$default',
        stage: '$default',
        time: new Date().toISOString(),
        timeEpoch: Date.now(),
      },
      ...(body === undefined ? {} : { body }),
      isBase64Encoded: false,
    }
    const { Payload, FunctionError } = await asking(stage, () =>
      client.send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) })),
    )
    const text = Payload?.transformToString() ?? ''
    if (FunctionError !== undefined) throw new CommandError(`${name} failed: ${text.slice(0, 500)}`)
    const parsed = answer.safeParse(JSON.parse(text || 'null'))
    if (!parsed.success)
      throw new CommandError(`${name} answered something else than HTTP: ${text.slice(0, 200)}`)
    const { statusCode, body: said, isBase64Encoded } = parsed.data
    return {
      status: statusCode,
      text: isBase64Encoded ? Buffer.from(said, 'base64').toString('utf8') : said,
    }
  }
}
