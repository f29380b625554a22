import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { z } from 'zod'
import { Trouble } from './endpoint.ts'

export type Sample = { event: string; delivery: string; body: string }

type Payload = Readonly<Record<string, unknown>>

const examples = z
  .array(z.object({ name: z.string(), examples: z.array(z.record(z.string(), z.unknown())) }))
  // the package is a JSON file
  .parse(createRequire(import.meta.url)('@octokit/webhooks-examples'))

function example(event: string, fits: (payload: Payload) => boolean): Payload {
  const payload = examples.find(({ name }) => name === event)?.examples.find(fits)
  if (!payload) throw new Error(`@octokit/webhooks-examples has no ${event} of the kind that is sent`)
  return payload
}

/**
 * Three deliveries as GitHub sends them. The push is of a commit that nobody has seen before: Loadpath does not run
 * the same signed body twice, and a second start shall show something happen again.
 */
export function samples(): [push: Sample, ...Sample[]] {
  const push = example('push', ({ ref }) => ref === 'refs/heads/master')
  const body = JSON.stringify(push).replaceAll(String(push.after), randomBytes(20).toString('hex'))
  const opened = example('pull_request', ({ action }) => action === 'opened')
  const completed = example('workflow_run', ({ action }) => action === 'completed')
  return [
    sample('push', body),
    sample('pull_request', JSON.stringify(opened)),
    sample('workflow_run', JSON.stringify(completed)),
  ]
}

const sample = (event: string, body: string): Sample => ({ event, delivery: randomUUID(), body })

/** Sends one as GitHub does. @throws Trouble when it is not accepted */
export async function send({ event, delivery, body }: Sample, api: string, secret: string): Promise<void> {
  const response = await fetch(`${api}/webhooks/github`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/sample',
      'x-github-event': event,
      'x-github-delivery': delivery,
      'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    },
    body,
    signal: AbortSignal.timeout(30_000),
  })
  if (!response.ok)
    throw new Trouble(`the sample ${event} was answered ${response.status}: ${await response.text()}`)
}
