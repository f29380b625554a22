import { z } from 'zod'
import { asking, awsSettings } from './aws.ts'
import type { Cli } from './context.ts'
import { CommandError } from './faults.ts'
import type { Stage } from './stage.ts'

const secrets = z.record(z.string(), z.string())

/** What GitHub webhooks of a project are signed with. */
export async function githubSecret(cli: Cli, project = 'main'): Promise<string> {
  const stage = cli.stage()
  const given = stage.own.LOADPATH_GITHUB_WEBHOOK_SECRET
  if (given && project === 'main') return given
  const running = await stage.running()
  if (running !== undefined && project === 'main') return running.webhookSecret
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager')
  const { webhookSecret } = await stage.config()
  const client = new SecretsManagerClient(await awsSettings(stage))
  const { SecretString } = await asking(stage, () =>
    client.send(new GetSecretValueCommand({ SecretId: webhookSecret })),
  )
  const secret = secrets.safeParse(JSON.parse(SecretString ?? 'null')).data?.[`github/${project}/current`]
  if (!secret)
    throw new CommandError(
      `the secret ${webhookSecret} has no github/${project}/current: set it to what GitHub signs with`,
    )
  return secret
}

/** What other tools need to talk to the stage. AWS credentials are only told where they are dummies. */
export async function environmentOf(cli: Cli): Promise<Record<string, string>> {
  const stage = cli.stage()
  const config = await stage.config()
  const endpoint = await stage.endpoint()
  const key = await stage.key()
  if (key === undefined)
    cli.note('Without LOADPATH_API_KEY: make one with loadpath keys create me --scope admin --save')
  return {
    ...(endpoint === undefined ? {} : await endpointVariables(stage, endpoint)),
    AWS_REGION: config.region,
    AWS_DEFAULT_REGION: config.region,
    LOADPATH_STAGE: stage.name,
    LOADPATH_API: await stage.api(),
    ...(key === undefined ? {} : { LOADPATH_API_KEY: key }),
    LOADPATH_INBOX_BUS: config.inboxBus,
    LOADPATH_EVENTS_BUS: config.eventsBus,
    ...(await secretVariable(cli)),
  }
}

/** Who may not read the secret can still use the rest. */
async function secretVariable(cli: Cli): Promise<Record<string, string>> {
  try {
    return { LOADPATH_GITHUB_WEBHOOK_SECRET: await githubSecret(cli) }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    cli.note(`Without LOADPATH_GITHUB_WEBHOOK_SECRET: ${error.message}`)
    return {}
  }
}

async function endpointVariables(stage: Stage, endpoint: string): Promise<Record<string, string>> {
  const settings = await awsSettings(stage)
  const credentials =
    'credentials' in settings
      ? {
          AWS_ACCESS_KEY_ID: settings.credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: settings.credentials.secretAccessKey,
        }
      : {}
  return { AWS_ENDPOINT_URL: endpoint, ...credentials }
}
