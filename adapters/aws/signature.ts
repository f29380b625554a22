import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'

export type Credentials = {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string | undefined
}

export type Unsigned = {
  method: string
  /** as it goes over the wire: each segment percent-encoded once; no query */
  path: string
  /** every header that is to be signed, by lower-case name; `host` and `x-amz-date` among them */
  headers: Readonly<Record<string, string>>
  /** hex sha256 of the body */
  payload: string
  service: string
  region: string
}

export const sha256 = (data: string | Uint8Array): string => hash('sha256', data)

const hmac = (key: string | Uint8Array | KeyObject, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()

/** `20260101T000000Z` from an ISO time. */
export const amzDate = (iso: string): string => `${iso.slice(0, 19).replaceAll(/[-:]/g, '')}Z`

/**
 * The Authorization header of AWS Signature Version 4.
 * S3 signs the path as sent, every other service signs it encoded once more; ours all post to `/`, so the path is
 * taken as it is.
 */
export function authorization(request: Unsigned, credentials: Credentials): string {
  const date = request.headers['x-amz-date'] ?? ''
  const scope = `${date.slice(0, 8)}/${request.region}/${request.service}/aws4_request`
  const names = Object.keys(request.headers).sort()
  const canonical = [
    request.method,
    request.path,
    '',
    ...names.map((name) => `${name}:${(request.headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}`),
    '',
    names.join(';'),
    request.payload,
  ].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')
  const signature = hmac(signingKey(credentials, scope), toSign).toString('hex')
  return `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
}

/** One key per day, region, service and secret: four hashes are saved at every request but the first. */
const keys = new Map<string, KeyObject>()

function signingKey({ secretAccessKey }: Credentials, scope: string): KeyObject {
  const name = `${scope} ${secretAccessKey}`
  const known = keys.get(name)
  if (known) return known
  const [date = '', region = '', service = ''] = scope.split('/')
  // as a KeyObject it is taken apart once, not at every use: that is most of a short hash's time
  const key = createSecretKey(
    hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, date), region), service), 'aws4_request'),
  )
  if (keys.size > 50) keys.clear()
  keys.set(name, key)
  return key
}
