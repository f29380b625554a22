import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GetParameterCommand, ParameterNotFound, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { type StageConfig, stageConfig, stageConfigParameter } from '../adapters/stage-config.ts'
import { clientSettings, endpointEnvironment, localAccount, localRegion, Trouble } from './endpoint.ts'
import { executables, root } from './places.ts'
import { runCommand } from './processes.ts'
import { sourcesDigest } from './sources.ts'

export type Deployment = {
  /** address of the AWS endpoint */
  endpoint: string
  stage: string
  /** where the synthesized templates are put */
  assembly: string
  /** gets all that the CDK says */
  log: string
  /** gets what people want to know, a line at a time */
  say: (line: string) => void
  stop: AbortSignal
}

/** Written last, into the endpoint that was deployed to: it is forgotten together with what it speaks of. */
const digestParameter = (stage: string) => `/loadpath/${stage}/deployed`
const bootstrapParameter = '/cdk-bootstrap/hnb659fds/version'

/**
 * Deploys the stage with the CDK's own command, unless the endpoint has it as the sources are now.
 * @throws Trouble with the end of the CDK's output
 */
export async function deploy(deployment: Deployment): Promise<StageConfig> {
  const { endpoint, stage, assembly, log, say } = deployment
  mkdirSync(dirname(log), { recursive: true })
  writeFileSync(log, '')
  const parameters = new SSMClient(clientSettings(endpoint))
  const digest = sourcesDigest(root, [stage])
  if (
    (await read(parameters, digestParameter(stage))) === digest &&
    existsSync(join(assembly, 'manifest.json'))
  )
    say(`stage ${stage} is deployed as the sources are`)
  else {
    if ((await read(parameters, bootstrapParameter)) === undefined) {
      say('preparing the endpoint for deployments (cdk bootstrap) …')
      // where there is no cdk.json: it would synthesize the app, and needs nothing of it
      await cdk(['bootstrap', `aws://${localAccount}/${localRegion}`], { ...deployment, cwd: dirname(log) })
    }
    say(`synthesizing stage ${stage} (cdk deploy) …`)
    const options = ['--require-approval', 'never', '--progress', 'events', '--output', assembly]
    await cdk(['deploy', '--all', ...options, '-c', `stage=${stage}`], { ...deployment, cwd: root })
    await parameters.send(
      new PutParameterCommand({
        Name: digestParameter(stage),
        Value: digest,
        Type: 'String',
        Overwrite: true,
      }),
    )
  }
  const config = await read(parameters, stageConfigParameter(stage))
  if (config === undefined)
    throw new Trouble(`the deployment wrote no parameter ${stageConfigParameter(stage)}`)
  return stageConfig.parse(JSON.parse(config))
}

async function read(parameters: SSMClient, name: string): Promise<string | undefined> {
  try {
    const { Parameter } = await parameters.send(new GetParameterCommand({ Name: name }))
    return Parameter?.Value
  } catch (error) {
    if (error instanceof ParameterNotFound) return undefined
    throw error
  }
}

async function cdk(
  args: readonly string[],
  { endpoint, log, say, stop, cwd }: Deployment & { cwd: string },
): Promise<void> {
  const said: string[] = []
  const flags = ['--no-notices', '--no-color', '--no-version-reporting']
  const code = await runCommand([join(executables, 'cdk'), ...args, ...flags], {
    cwd,
    env: { ...endpointEnvironment(endpoint), CI: 'true', CDK_DISABLE_CLI_TELEMETRY: 'true' },
    log,
    stop,
    onLine: (line) => {
      said.push(line)
      const news = progress(line)
      if (news) say(news)
    },
  })
  if (code === 0) return
  const last = said.filter((line) => line.trim() !== '').slice(-25)
  throw new Trouble(
    `cdk ${args[0]} failed; the end of ${log}:\n${last.join('\n')}\nIf it is for what earlier starts left: npm start -- --fresh`,
  )
}

/** What a line of the CDK's output says to somebody who waits; most say nothing. */
export function progress(line: string): string | undefined {
  const synthesized = /Synthesis time: ([\d.]+)s/.exec(line)?.[1]
  if (synthesized) return `  synthesized in ${Number(synthesized).toFixed(1)} s`
  const started = /^(\S+): deploying\.\.\./.exec(line)?.[1]
  if (started) return `  ${started}: deploying …`
  const [, stack, unchanged] = /✅\s+(\S+?)( \(no changes\))?$/u.exec(line.trimEnd()) ?? []
  if (stack) return `  ${stack}: ${unchanged ? 'unchanged' : 'deployed'}`
  return undefined
}
