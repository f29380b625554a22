import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import {
  CustomerManagedEncryptionConfiguration,
  DefinitionBody,
  LogLevel,
  StateMachine,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import { machinesFolder } from '../bundle.ts'
import { named, type Stage } from '../stages.ts'
import { acknowledge, acknowledgeParameterArn } from './acknowledge.ts'
import type { HouseFunction } from './house-function.ts'
import type { HouseQueue } from './house-queue.ts'

export type WorkflowProps = {
  stage: Stage
  key?: IKey | undefined
  /** functions that the definition may name as `${<Name>FunctionArn}` */
  functions: readonly HouseFunction[]
  /** where it emits, named `${RecordQueueUrl}` in the definition */
  record: HouseQueue
}

const definitionOf = (name: string) => readFileSync(join(machinesFolder, `${name}.asl.json`), 'utf8')

/** Whether runs of a workflow wait for somebody who answers their task token. */
export const waitsForAnswers = (name: string): boolean => definitionOf(name).includes('.waitForTaskToken')

/** Whether a workflow's definition sends events of this type itself, and not a function that it invokes. */
export const emitsByItself = (name: string, type: string): boolean => definitionOf(name).includes(`'${type}'`)

const pascal = (name: string) =>
  name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase())

/** A state machine from statemachines/<name>.asl.json, allowed what its definition names. Always Standard. */
export class Workflow extends Construct {
  readonly name: string
  readonly machine: StateMachine
  readonly role: IRole
  /** whether its definition sends to the record queue */
  readonly emits: boolean

  constructor(scope: Construct, name: string, props: WorkflowProps) {
    super(scope, `${name}-workflow`)
    this.name = name
    const { stage, key, functions, record } = props
    const definition = definitionOf(name)
    const mentions = (placeholder: string) => definition.includes(`\${${placeholder}}`)
    const used = functions.filter((fn) => mentions(`${pascal(fn.name)}FunctionArn`))
    const substitutions: Record<string, string> = Object.fromEntries(
      used.map((fn) => [`${pascal(fn.name)}FunctionArn`, fn.lambda.functionArn]),
    )
    this.emits = mentions('RecordQueueUrl')
    if (this.emits) substitutions.RecordQueueUrl = record.queue.queueUrl

    this.machine = new StateMachine(this, 'machine', {
      stateMachineName: named(stage, name),
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(definition),
      definitionSubstitutions: substitutions,
      logs: {
        destination: new LogGroup(this, 'logs', {
          logGroupName: `/aws/vendedlogs/states/${named(stage, name)}`,
          retention: stage.logDays,
          encryptionKey: key,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        level: LogLevel.ERROR,
      },
      tracingEnabled: stage.xray,
      encryptionConfiguration: key ? new CustomerManagedEncryptionConfiguration(key) : undefined,
    })
    this.role = this.machine.role
    if (used.length > 0)
      this.machine.addToRolePolicy(
        new PolicyStatement({
          actions: ['lambda:InvokeFunction'],
          resources: used.map((fn) => fn.lambda.functionArn),
        }),
      )
    if (this.emits)
      this.machine.addToRolePolicy(
        new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [record.queue.queueArn] }),
      )
    if (key && this.emits)
      // CDK allows the role the key for the machine's own data only
      this.machine.addToRolePolicy(
        new PolicyStatement({
          actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
          resources: [key.keyArn],
          conditions: { StringEquals: { 'kms:ViaService': `sqs.${Stack.of(this).region}.amazonaws.com` } },
        }),
      )
    if (key) acknowledgeParameterArn(this.machine)
    if (!stage.xray)
      for (const rule of ['AwsSolutions-SF2', 'Serverless-StepFunctionStateMachineXray'])
        acknowledge(
          this.machine,
          rule,
          "a run's trace is in the history of its events; X-Ray is there with -c xray=on",
        )
    acknowledge(
      this.machine,
      'AwsSolutions-IAM5[Resource::*]',
      'setting up log delivery and, with -c xray=on, sending X-Ray segments name no resource',
    )
    acknowledge(
      this.machine,
      'AwsSolutions-SF1',
      'inputs and outputs are in the history; the log is for what fails',
    )
  }
}
