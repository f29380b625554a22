import { createHmac } from 'node:crypto'
import { expect } from 'vitest'
import { Failure } from '../core/errors.ts'
import type { Principal } from '../core/gate/access.ts'
import { type IngestDeps, ingest } from '../core/gate/ingest.ts'
import { world } from './world.ts'

/** A test's world with its doors that speak HTTP: four keys, and a webhook secret for each of two projects. */

const keys: Readonly<Record<string, Principal>> = {
  writer: { actor: 'user:k1', project: 'main', scopes: ['events:write'] },
  admin: { actor: 'user:k0', project: 'main', scopes: ['admin'] },
  shop: { actor: 'user:k2', project: 'shop', scopes: ['events:write'] },
  reader: { actor: 'user:k3', project: 'main', scopes: ['events:read', 'runs:write'] },
}
const secrets: Readonly<Record<string, readonly string[]>> = {
  main: ['current secret', 'previous secret'],
  shop: ['secret of the shop'],
}

export const json = { authorization: 'Bearer writer', 'content-type': 'application/cloudevents+json' }
export const batchJson = { ...json, 'content-type': 'application/cloudevents-batch+json' }

type Headers = Record<string, string | undefined>

export function doors() {
  const w = world()
  const deps: IngestDeps = {
    ...w.deps,
    authenticate: async (credential = '') => {
      const principal = keys[credential]
      if (principal === undefined) throw new Failure('Unauthenticated', 'send a key')
      return principal
    },
    webhookSecrets: async (_, project) => secrets[project] ?? [],
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  }

  async function post(body: unknown, headers: Headers = json, path = '/events') {
    const bytes = Buffer.from(
      typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    )
    const answer = await ingest({ method: 'POST', path, headers, body: bytes }, deps)
    return { ...answer, body: JSON.parse(JSON.stringify(answer.body)) }
  }

  return {
    ...w,
    ingestDeps: deps,
    post,
    /** As GitHub sends it: signed, under a delivery id. `headers` replaces what GitHub would say. */
    webhook: (
      body: unknown,
      { delivery = 'd1', event = 'push', path = '/webhooks/github', headers = {} as Headers } = {},
    ) =>
      post(
        body,
        { 'x-github-event': event, 'x-github-delivery': delivery, ...signed(body), ...headers },
        path,
      ),
  }
}

export const signed = (body: unknown, secret = 'current secret') => {
  const bytes = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  return { 'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(bytes).digest('hex')}` }
}

/** What every refusal is. */
export const problem = (code: string, more: object = {}) => ({
  contentType: 'application/problem+json',
  body: expect.objectContaining({ type: `https://loadpath.dev/problems/${code}`, ...more }),
})
