import { join } from 'node:path'
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch'
import { LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy'
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import {
  Alias,
  Architecture,
  Code,
  type IFunction,
  Function as Lambda,
  RecursiveLoop,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { Variable } from '../../adapters/environment.ts'
import { named, type Stage } from '../stages.ts'
import { acknowledge, acknowledgeParameterArn } from './acknowledge.ts'

/** Allows a function something and tells it where that is, in one call. */
export type Grant = (fn: HouseFunction) => void

/** Of a policy statement. */
export type Conditions = Record<string, Record<string, readonly string[]>>

export type HouseFunctionProps = {
  stage: Stage
  /** the folder with one folder of code per function */
  code: string
  key?: IKey | undefined
  /** seconds */
  timeout: number
  may: readonly Grant[]
  /** MB; the share of a processor goes with it: 1769 have one. Default: 512 */
  memory?: number
  /** concurrency set aside for it, in stages that do so */
  reserved?: number
  /** it sends to queues that may lead back to it; our hop limit ends loops, so Lambda must not after 16 */
  emits?: boolean
  /** new versions take a tenth of the traffic first, in stages that do so; `rollBackOn` says what ends that */
  canary?: boolean
}

/** A function as every function here is: Node 24 on arm64, own role, own log group, nothing allowed that `may` does not say. */
export class HouseFunction extends Construct {
  readonly lambda: Lambda
  readonly role: Role
  readonly name: string
  /** what mappings and callers invoke: the function, or the alias that a canary moves */
  readonly invoked: IFunction
  /** the version that this deployment moves in, where it takes a tenth of the traffic first */
  readonly entering: { resource: string; version: string } | undefined
  readonly #live: Alias | undefined

  constructor(scope: Construct, name: string, props: HouseFunctionProps) {
    super(scope, name)
    const { stage, key } = props
    this.name = name
    const functionName = named(stage, name)
    const logGroup = new LogGroup(this, 'logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: stage.logDays satisfies RetentionDays,
      encryptionKey: key,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.role = new Role(this, 'role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    this.allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn])
    this.lambda = new Lambda(this, 'function', {
      functionName,
      code: Code.fromAsset(join(props.code, name)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: props.memory ?? 512,
      timeout: Duration.seconds(props.timeout),
      reservedConcurrentExecutions: stage.reserved ? props.reserved : undefined,
      recursiveLoop: props.emits ? RecursiveLoop.ALLOW : undefined,
      tracing: stage.xray ? Tracing.ACTIVE : Tracing.DISABLED,
      logGroup,
      role: this.role,
      environment: { STAGE: stage.name },
      environmentEncryption: key,
    })
    this.#live =
      stage.canary && props.canary
        ? new Alias(this, 'live', { aliasName: 'live', version: this.lambda.currentVersion })
        : undefined
    this.invoked = this.#live ?? this.lambda
    this.entering = this.#live && {
      resource: `${functionName}:${this.#live.aliasName}`,
      version: this.#live.version.version,
    }
    if (key) {
      // its own variables are under the key, whatever else it reads and writes
      this.allow(props.may.length > 0 ? keyActions : ['kms:Decrypt'], [key.keyArn])
      acknowledgeParameterArn(this.role)
    }
    if (stage.xray)
      acknowledge(
        this.role,
        'AwsSolutions-IAM5[Resource::*]',
        'X-Ray takes segments for no resource in particular',
      )
    else
      acknowledge(
        this,
        'Serverless-LambdaTracing',
        "an event's trace is in its history; X-Ray costs more than the event and is there with -c xray=on",
      )
    acknowledge(
      this,
      'Serverless-LambdaDLQ',
      "what comes from a queue fails into the queue's DLQ, what comes over HTTP or from a workflow fails to its caller",
    )
    for (const grant of props.may) grant(this)
  }

  allow(actions: string[], resources: string[], conditions?: Conditions): void {
    this.role.addToPrincipalPolicy(
      new PolicyStatement({ actions, resources, ...(conditions && { conditions }) }),
    )
  }

  /** A new version that raises one of these within five minutes is taken back. They watch it from its first call on. */
  rollBackOn(alarms: readonly Alarm[]): void {
    if (this.#live === undefined) return
    this.#live.node.addDependency(...alarms)
    const deployments = new LambdaDeploymentGroup(this, 'canary', {
      alias: this.#live,
      deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
      alarms: [...alarms],
    })
    acknowledge(
      deployments,
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]',
      "CodeDeploy's own policy: it invokes no functions but the hooks, of which there are none",
    )
  }

  set(variable: Variable, value: string): void {
    this.lambda.addEnvironment(variable, value)
  }
}

const keyActions = [
  'kms:Decrypt',
  'kms:DescribeKey',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:ReEncryptFrom',
  'kms:ReEncryptTo',
]
