import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm'
import { type StageConfig, stageConfig, stageConfigParameter } from '../adapters/stage-config.ts'
import { causeOf } from './client.ts'
import { CommandError } from './faults.ts'
import type { Stage } from './stage.ts'

/** For the constructor of any AWS client. A local endpoint gets dummy credentials, whatever the user's own are. */
export async function awsSettings(stage: Stage) {
  const endpoint = await stage.endpoint()
  const { clientSettings } = await import('../local/endpoint.ts')
  if (endpoint !== undefined && (stage.local || isLoopback(endpoint))) return clientSettings(endpoint)
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(stage.profile === undefined ? {} : { profile: stage.profile }),
  }
}

const isLoopback = (url: string): boolean => /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(url).hostname)

const where = async (stage: Stage) => {
  const endpoint = await stage.endpoint()
  if (endpoint !== undefined) return `at ${endpoint}`
  return `in AWS${stage.profile === undefined ? '' : ` with profile ${stage.profile}`}`
}

/** What AWS refuses or does not answer, as an error for people. */
export async function asking<T>(stage: Stage, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw await forPeople(stage, error)
  }
}

async function forPeople(stage: Stage, error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || error instanceof CommandError) return error
  const place = await where(stage)
  const cause = causeOf(error)
  if (/^(ECONNREFUSED|ENOTFOUND|ECONNRESET|EHOSTUNREACH|ETIMEDOUT)$/.test(cause))
    return new CommandError(`Nothing answers ${place} (${cause}). ${stage.start}`)
  if (
    error.name === 'CredentialsProviderError' ||
    /expired|UnrecognizedClient|InvalidClientToken/.test(error.name)
  )
    return new CommandError(
      `AWS takes no credentials of yours: ${error.message}\nGive --profile, or AWS_PROFILE, or log in (aws sso login).`,
    )
  if (/region is missing/i.test(error.message))
    return new CommandError(
      'No AWS region is configured: set AWS_REGION, or give --profile of one that has it.',
    )
  return new CommandError(`AWS refused ${place}: ${error.name}: ${error.message}`)
}

/** What the stage says of itself; its parameter is written by the deployment. */
export async function readConfig(stage: Stage): Promise<StageConfig> {
  const ssm = new SSMClient(await awsSettings(stage))
  const name = stageConfigParameter(stage.name)
  const value = await asking(stage, async () => {
    try {
      return (await ssm.send(new GetParameterCommand({ Name: name }))).Parameter?.Value
    } catch (error) {
      if (!(error instanceof ParameterNotFound)) throw error
      throw new CommandError(
        `There is no stage ${stage.name} ${await where(stage)}: it has no parameter ${name}. ${
          stage.local ? stage.start : 'Deploy it, or check --stage, --profile and AWS_REGION.'
        }`,
      )
    }
  })
  const parsed = stageConfig.safeParse(JSON.parse(value ?? 'null'))
  if (parsed.success) return parsed.data
  throw new CommandError(
    `The parameter ${name} is not what this version of loadpath reads: ${parsed.error.issues[0]?.path.join('.')}`,
  )
}
