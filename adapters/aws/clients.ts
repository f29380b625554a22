import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { amzDate, authorization, type Credentials, sha256 } from './signature.ts'

/**
 * The one place that talks to AWS. The services we use speak JSON over one address (but for S3, SNS, CloudFormation and CloudWatch), so a signed
 * request is all that is needed; the SDK's clients would be two thirds of a function's bundle and half of its start.
 * clients.unit.test.ts holds what is sent here against what the SDK sends.
 */
export type Aws = {
  /** Calls an operation of a JSON service; answers the parsed body. Throws AwsError. */
  call(service: JsonService, operation: string, input: object): Promise<unknown>
  /** Asks SNS, CloudFormation or CloudWatch, which take forms. Answers the XML. */
  form(
    service: 'sns' | 'cloudformation' | 'monitoring',
    fields: Readonly<Record<string, string>>,
  ): Promise<string>
  /** Puts or gets an object. `key` as it is, not encoded. */
  object(method: 'PUT' | 'GET', bucket: string, key: string, body?: Uint8Array): Promise<Uint8Array>
  region: string
}

const jsonServices = {
  dynamodb: { target: 'DynamoDB_20120810', version: '1.0' },
  sqs: { target: 'AmazonSQS', version: '1.0' },
  states: { target: 'AWSStepFunctions', version: '1.0' },
  events: { target: 'AWSEvents', version: '1.1' },
  secretsmanager: { target: 'secretsmanager', version: '1.1' },
} as const
export type JsonService = keyof typeof jsonServices

/** What AWS answered instead: `code` as its documentation names it, `detail` the parsed or plain body. No answer at
 * all is `NetworkError` with status 0. */
export class AwsError extends Error {
  readonly code: string
  readonly status: number
  readonly detail: unknown

  constructor(code: string, message: string, status: number, detail: unknown) {
    super(message)
    this.name = code
    this.code = code
    this.status = status
    this.detail = detail
  }
}

export const isAwsError = (error: unknown, ...codes: string[]): error is AwsError =>
  error instanceof AwsError && codes.includes(error.code)

export type ConnectOptions = {
  /** default: AWS_REGION */
  region?: string | undefined
  /** one address for every service; default: AWS_ENDPOINT_URL, else AWS's own addresses */
  endpoint?: string | undefined
  /** default: from the environment, as Lambda sets them; any provider of the AWS SDK fits */
  credentials?: (() => Promise<Credentials>) | undefined
  /** tries of one request, the first among them */
  attempts?: number | undefined
  /** milliseconds without a byte to or from the other side */
  timeout?: number | undefined
  /** milliseconds for a request with all its tries; default: as long as these take */
  budget?: number | undefined
}

/**
 * For functions, whose time is short: where DynamoDB hangs there is still some left to say so, to put the event onto a
 * queue or the mark into the history. Two hanging requests fit into the ten seconds that most of them have. 1 MB goes to
 * S3 in a tenth of this, and what moves is not cut off by the timeout.
 */
export const forFunctions = { attempts: 3, timeout: 2000, budget: 4000 } as const satisfies ConnectOptions

/** Opens connections as they are needed and keeps them: make one per process. */
export function connect(options: ConnectOptions = {}): Aws {
  const region = options.region ?? process.env.AWS_REGION
  if (!region) throw new Error('missing environment variable: AWS_REGION')
  const endpoint = options.endpoint || process.env.AWS_ENDPOINT_URL || undefined
  const { credentials = fromEnvironment, attempts = 4, timeout = 10_000 } = options
  const { budget = Number.POSITIVE_INFINITY } = options
  const agent = { keepAlive: true, maxSockets: 64 }
  const agents = { 'http:': new http.Agent(agent), 'https:': new https.Agent(agent) }

  const address = (service: string, bucket?: string): URL => {
    if (endpoint) return new URL(endpoint)
    return new URL(`https://${bucket === undefined ? '' : `${bucket}.`}${service}.${region}.amazonaws.com`)
  }

  async function send(request: Request, left: number): Promise<Answer> {
    const { url, method, path, body, service } = request
    const payload = sha256(body)
    const { accessKeyId, secretAccessKey, sessionToken } = await credentials()
    const signed: Record<string, string> = {
      ...request.headers,
      host: url.host,
      'x-amz-date': amzDate(new Date().toISOString()),
      ...(service === 's3' ? { 'x-amz-content-sha256': payload } : {}),
      ...(sessionToken ? { 'x-amz-security-token': sessionToken } : {}),
    }
    const headers = {
      ...signed,
      authorization: authorization(
        { method, path, headers: signed, payload, service, region: region ?? '' },
        { accessKeyId, secretAccessKey },
      ),
      'content-length': String(Buffer.byteLength(body)),
    }
    const plain = url.protocol === 'http:'
    const transport = plain ? http : https
    return exchange(
      (answered) =>
        transport.request(
          {
            host: url.hostname,
            port: url.port || (plain ? 80 : 443),
            method,
            path,
            // as a list they go out as they are; an object's are each set, and read again, in a map
            headers: Object.entries(headers).flat(),
            agent: plain ? agents['http:'] : agents['https:'],
            timeout: Math.min(timeout, left),
          },
          answered,
        ),
      body,
      left,
    )
  }

  async function retried(request: Request): Promise<Buffer> {
    const end = performance.now() + budget
    for (let attempt = 1; ; attempt++) {
      const pause = backoff(attempt)
      try {
        const answer = await send(request, Math.max(1, end - performance.now()))
        if (answer.status < 300) return answer.body
        throw errorOf(answer)
      } catch (error) {
        const isOver = attempt >= attempts || performance.now() + pause >= end
        if (isOver || !isTransient(error)) throw error
        await sleep(pause)
        // a busy process sleeps for longer than it asked to
        if (performance.now() >= end) throw error
      }
    }
  }

  return {
    region,
    async call(service, operation, input) {
      const { target, version } = jsonServices[service]
      const answer = await retried({
        url: address(service),
        method: 'POST',
        path: '/',
        service,
        headers: {
          'content-type': `application/x-amz-json-${version}`,
          'x-amz-target': `${target}.${operation}`,
        },
        body: JSON.stringify(input),
      })
      return answer.length === 0 ? {} : JSON.parse(answer.toString('utf8'))
    },
    async form(service, fields) {
      const answer = await retried({
        url: address(service),
        method: 'POST',
        path: '/',
        service,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      })
      return answer.toString('utf8')
    },
    object(method, bucket, key, body = new Uint8Array()) {
      const path = `/${key.split('/').map(encoded).join('/')}`
      return retried({
        url: address('s3', bucket),
        method,
        path: endpoint ? `/${bucket}${path}` : path,
        service: 's3',
        headers: method === 'PUT' ? { 'content-type': 'application/octet-stream' } : {},
        body,
      })
    },
  }
}

type Request = {
  url: URL
  method: string
  path: string
  service: string
  headers: Readonly<Record<string, string>>
  body: string | Uint8Array
}
type Answer = { status: number; body: Buffer }

/** RFC 3986, as SigV4 wants it: encodeURIComponent leaves five characters alone that are to be encoded. */
const encoded = (segment: string): string =>
  encodeURIComponent(segment).replaceAll(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  )

function exchange(
  open: (answered: (message: IncomingMessage) => void) => ClientRequest,
  body: string | Uint8Array,
  left: number,
): Promise<Answer> {
  let over: NodeJS.Timeout | undefined
  const answer = new Promise<Answer>((resolve, reject) => {
    const failed = (cause: Error) => reject(new AwsError('NetworkError', cause.message, 0, cause))
    const request = open((message) => {
      const parts: Buffer[] = []
      message.on('data', (part: Buffer) => parts.push(part))
      message.on('error', failed)
      message.on('end', () => resolve({ status: message.statusCode ?? 0, body: Buffer.concat(parts) }))
    })
    const tooLate = () => request.destroy(new Error('no answer in time'))
    request.on('error', failed)
    request.on('timeout', tooLate)
    // an answer that trickles in never times out
    if (left < Number.POSITIVE_INFINITY) over = setTimeout(tooLate, left)
    request.end(body)
  })
  return answer.finally(() => clearTimeout(over))
}

/** JSON services name the error in `__type`, the others in XML. */
function errorOf({ status, body }: Answer): AwsError {
  const text = body.toString('utf8')
  if (!text.startsWith('{')) {
    const tag = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
    return new AwsError(tag('Code') ?? `Http${status}`, tag('Message') ?? text.slice(0, 500), status, text)
  }
  const detail: Record<string, unknown> = JSON.parse(text)
  const type = typeof detail.__type === 'string' ? detail.__type : `Http${status}`
  const message = detail.message ?? detail.Message
  const code = type.slice(type.lastIndexOf('#') + 1).split(':', 1)[0] ?? type
  return new AwsError(code, typeof message === 'string' ? message : code, status, detail)
}

/** Worth another try: the network (status 0), the other side's own trouble, and being too fast. */
const isTransient = (error: unknown): boolean =>
  error instanceof AwsError &&
  (error.status === 0 || error.status === 429 || error.status >= 500 || isThrottle(error.code))

export const isThrottle = (code: string): boolean =>
  /Throttl|TooManyRequests|RequestLimitExceeded|ProvisionedThroughputExceeded|SlowDown|Transaction(?:InProgress|Conflict)/.test(
    code,
  )

/** Milliseconds to wait after the nth try that failed: exponential, full jitter, at most 1 s. */
export const backoff = (attempt: number): number => Math.random() * Math.min(1000, 50 * 2 ** attempt)

async function fromEnvironment(): Promise<Credentials> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY)
    throw new Error('missing environment variable: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY')
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    sessionToken: AWS_SESSION_TOKEN,
  }
}
