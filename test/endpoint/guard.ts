import { isIP, Socket } from 'node:net'
import { inject } from 'vitest'

/**
 * Tests talk to this machine alone: any other connection is refused before it is tried, so that a forgotten
 * endpoint is a failing test and never a request to the real AWS.
 */
const isLoopback = (host: string) =>
  host === 'localhost' ||
  host.endsWith('.localhost') ||
  host === '::1' ||
  (isIP(host) === 4 && host.startsWith('127.'))

const connect = Socket.prototype.connect

Socket.prototype.connect = function guarded(this: Socket, ...args: unknown[]) {
  // net.connect hands over its arguments as one normalised array
  const first = Array.isArray(args[0]) ? args[0][0] : args[0]
  const options =
    typeof first === 'object' && first !== null
      ? first
      : { port: first, host: typeof args[1] === 'string' ? args[1] : undefined }
  const host = 'path' in options && options.path ? 'localhost' : 'host' in options && options.host
  if (typeof host === 'string' && !isLoopback(host)) {
    const error = new Error(`tests may connect to this machine only, not to ${host}`)
    process.nextTick(() => this.destroy(error))
    return this
  }
  return Reflect.apply(connect, this, args)
}

const endpoint = inject('endpoint')
if (endpoint) process.env.AWS_ENDPOINT_URL = endpoint
