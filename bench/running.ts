import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { connect } from '../adapters/aws/clients.ts'
import { stageConfig, stageConfigParameter } from '../adapters/stage-config.ts'
import { clientSettings } from '../local/endpoint.ts'
import { running } from '../local/state.ts'

// before anybody asks: clients and child processes look for them at any time
process.env.AWS_ACCESS_KEY_ID ||= 'test'
process.env.AWS_SECRET_ACCESS_KEY ||= 'test'
process.env.AWS_REGION ||= 'us-east-1'

export type RunningSystem = Awaited<ReturnType<typeof runningSystem>>

/** The local system that runs on this machine, and AWS as it has it; throws where nothing runs. */
export async function runningSystem() {
  const up = running()
  if (up === undefined) throw new Error('nothing runs here: npx loadpath up --detach')
  const settings = clientSettings(up.endpoint)
  const ssm = new SSMClient(settings)
  const { Parameter } = await ssm.send(new GetParameterCommand({ Name: stageConfigParameter('local') }))
  const config = stageConfig.parse(JSON.parse(Parameter?.Value ?? ''))
  return {
    ...{ up, settings, config, aws: connect({ endpoint: up.endpoint }) },
    /** the address of a queue without its name, by an address that resolves here */
    queues: config.queuePrefix.replace(/^https?:\/\/[^/]+/, up.endpoint),
  }
}
