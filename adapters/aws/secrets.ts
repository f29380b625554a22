import * as z from 'zod'
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
