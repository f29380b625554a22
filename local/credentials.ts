import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { z } from 'zod'
import type { StageConfig } from '../adapters/stage-config.ts'
import { ask } from './api.ts'
import { clientSettings, Trouble } from './endpoint.ts'
import { loadpath } from './loadpath.ts'

/** An API key with the scope admin: the one that is known, while it is valid, else a new one by AWS credentials. */
export async function firstKey(from: {
  endpoint: string
  stage: string
  api: string
  known: string | undefined
}): Promise<string> {
  const { endpoint, stage, api, known } = from
  if (known !== undefined && (await ask({ api, apiKey: known }, '/v1/keys?limit=1')).status === 200)
    return known
  const answer = loadpath(['keys', 'create', stage, '--scope', 'admin', '--aws', '--json'], endpoint, stage)
  return z.object({ key: z.string() }).parse(JSON.parse(answer)).key
}

const secrets = z.object({ 'github/main/current': z.string().min(1) })

/** What GitHub webhooks of the project `main` are signed with: the deployment made it. */
export async function webhookSecret(endpoint: string, config: StageConfig): Promise<string> {
  const client = new SecretsManagerClient(clientSettings(endpoint))
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: config.webhookSecret }))
  if (SecretString === undefined) throw new Trouble(`the secret ${config.webhookSecret} has no value`)
  return secrets.parse(JSON.parse(SecretString))['github/main/current']
}
