import { createServer, type IncomingHttpHeaders } from 'node:http'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { type Aws, type ConnectOptions, connect } from '../adapters/aws/clients.ts'

export type Seen = { method: string; path: string; headers: IncomingHttpHeaders; body: Buffer }
export type Reply = { status: number; body: string; headers?: Record<string, string> } | 'hang up' | 'silence'

/** A server on this machine that keeps what it is sent and answers what the test says. */
export const seen: Seen[] = []
let replies: Reply[] = []
const nothing: Reply = { status: 200, body: '{}' }
let otherwise: (request: Seen) => Reply = () => nothing
/** Ports from which connections came. */
export const ports = new Set<number | undefined>()
const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => {
    const one = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(parts),
    }
    seen.push(one)
    const reply = replies.shift() ?? otherwise(one)
    if (reply === 'hang up') request.socket.destroy()
    else if (reply !== 'silence') response.writeHead(reply.status, reply.headers).end(reply.body)
  })
})
/** What it answers to whatever is not foreseen by `reply`. */
export const replyBy = (answer: (request: Seen) => Reply): void => {
  otherwise = answer
}
/** What it answers next, in order; after that `{}`, or what `replyBy` says. */
export const reply = (...next: Reply[]): void => {
  replies = next
}
/** Its address, once the tests run. */
export let endpoint = ''
beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  endpoint = `http://127.0.0.1:${address.port}`
})
server.on('connection', (socket) => ports.add(socket.remotePort))
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  seen.length = 0
  ports.clear()
  replies = []
  otherwise = () => nothing
})

export const region = 'eu-central-1'
export const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'session/token+=',
}
/** Our client, sending there. */
export const ours = (options: Partial<ConnectOptions> = {}): Aws =>
  connect({ region, endpoint, credentials: async () => credentials, ...options })
