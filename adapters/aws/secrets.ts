import * as z from 'zod'
import { Failure } from '../../core/errors.ts'
import type { Clock } from '../../core/ports.ts'
import type { Aws } from './clients.ts'

const answer = z.object({ SecretString: z.string() })

export type SecretReader = {
  /** at most `seconds` old */
  get(): Promise<string>
  /** read anew; for when what get answered does not fit */
  refresh(): Promise<string>
}

/** One secret of Secrets Manager, kept for `seconds` (60). Callers at the same time share one read. */
export function secretReader({
  aws,
  arn,
  clock,
  seconds = 60,
}: {
  aws: Aws
  arn: string
  clock: Clock
  seconds?: number
}): SecretReader {
  let kept: { value: Promise<string>; until: number } | undefined

  function refresh(): Promise<string> {
    const value = aws
      .call('secretsmanager', 'GetSecretValue', { SecretId: arn })
      .then((secret) => answer.parse(secret).SecretString)
    const entry = { value, until: Date.parse(clock()) + seconds * 1000 }
    kept = entry
    // a failure is not kept
    value.catch(() => {
      if (kept === entry) kept = undefined
    })
    return value
  }

  return {
    get: () => (kept !== undefined && Date.parse(clock()) < kept.until ? kept.value : refresh()),
    refresh,
  }
}

const webhookSecrets = z.record(z.string(), z.string())

/**
 * `<source>/<project>/current` and `…/previous` -> secret, as one flat JSON object.
 * @throws Failure Unavailable when it is none: it can be put right, and what was sent meanwhile is sent again
 */
export function webhookSecretsIn(text: string): Record<string, string> {
  try {
    return webhookSecrets.parse(JSON.parse(text))
  } catch {
    // what it says instead of JSON is a secret too
    const expected = 'one JSON object of texts, such as {"github/main/current":"…"}'
    throw new Failure('Unavailable', `the webhook secret in Secrets Manager is not ${expected}`)
  }
}
