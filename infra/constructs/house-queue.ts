import { Duration } from 'aws-cdk-lib'
import type { Rule } from 'aws-cdk-lib/aws-events'
import { AnyPrincipal, Effect, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import {
  CfnQueue,
  DeduplicationScope,
  FifoThroughputLimit,
  Queue,
  QueueEncryption,
} from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { type Route, typeName } from '../../events/route.ts'
import { named, type Stage } from '../stages.ts'
import { acknowledge } from './acknowledge.ts'
import type { HouseFunction } from './house-function.ts'

export type HouseQueueProps = {
  stage: Stage
  key?: IKey | undefined
  /** seconds that an invocation of its function takes at most */
  timeout: number
  /** where a message goes that was received so often; without it the queue is such a place itself */
  fails?: { to: HouseQueue; after: number }
  /** FIFO: one after the other by group, many groups side by side; `.fifo` comes behind its name */
  ordered?: boolean | undefined
  /** the route that it carries */
  route?: Route
}

const retention = Duration.days(4)
const deadRetention = Duration.days(14)

/** Whoever sends says what is the same and what belongs together: the same body may well be another delivery. */
const fifo = {
  fifo: true,
  contentBasedDeduplication: false,
  deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
  fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
}

/**
 * How often a message of an ordered route may be received: what waits behind one that fails is received with it and not
 * run. Attempts are counted in its delivery; this is for what never gets as far as being counted. The most that SQS takes.
 */
export const heldReceives = 1000

/** A queue and, with `feeds`, its mapping. Visibility leaves Lambda room for six tries of a throttled invocation. */
export class HouseQueue extends Construct {
  readonly name: string
  readonly queue: Queue
  readonly ordered: boolean
  readonly #timeout: number

  constructor(scope: Construct, name: string, props: HouseQueueProps) {
    super(scope, props.ordered ? `${name}-ordered-queue` : `${name}-queue`)
    this.name = name
    this.ordered = props.ordered ?? false
    this.#timeout = props.timeout
    this.queue = new Queue(this, 'queue', {
      queueName: named(props.stage, props.ordered ? `${name}.fifo` : name),
      ...(props.ordered ? fifo : {}),
      visibilityTimeout: Duration.seconds(props.timeout * 6),
      retentionPeriod: props.fails ? retention : deadRetention,
      receiveMessageWaitTime: Duration.seconds(20),
      enforceSSL: true,
      encryption: props.key ? QueueEncryption.KMS : QueueEncryption.SQS_MANAGED,
      encryptionMasterKey: props.key,
      deadLetterQueue: props.fails && { queue: props.fails.to.queue, maxReceiveCount: props.fails.after },
    })
    if (props.route) this.#describe(props.route)
    if (!props.fails)
      for (const rule of ['AwsSolutions-SQS3', 'Serverless-SQSRedrivePolicy'])
        acknowledge(this.queue, rule, 'it is the place where the letters of others lie')
  }

  /** Maps the queue to the function, which answers for each message of a batch by itself. */
  feeds(fn: HouseFunction, { batch, concurrency }: Pick<Route, 'batch' | 'concurrency'>): void {
    if (fn.lambda.timeout !== undefined && fn.lambda.timeout.toSeconds() > this.#timeout)
      throw new Error(`${this.node.path}: ${fn.name} may take longer than the queue hides a message for`)
    this.queue.grantConsumeMessages(fn.role)
    const mapping = fn.invoked.addEventSourceMapping(this.node.id, {
      eventSourceArn: this.queue.queueArn,
      batchSize: batch,
      maxConcurrency: concurrency,
      reportBatchItemFailures: true,
    })
    acknowledge(
      mapping,
      'Serverless-LambdaEventSourceMappingDestination',
      "SQS mappings have none: what fails is received again, and then goes by the queue's redrive policy",
    )
  }

  /** Writes the route into the queue's metadata: the template says by itself who gets what, and how. */
  #describe(route: Route): void {
    const { subscriber, kind, types, effect, batch, concurrency, attempts, timeout, emits, ordered } = route
    const resource = this.queue.node.defaultChild
    if (!(resource instanceof CfnQueue)) throw new Error(`${this.node.path} has no queue resource`)
    resource.addMetadata('loadpath:route', {
      subscriber,
      kind,
      types: types.map(typeName),
      effect,
      batch,
      concurrency,
      attempts,
      timeout,
      emits: emits.map(typeName),
      ...(ordered ? { ordered } : {}),
    })
  }

  /**
   * Nobody but these roles may send here, and AWS only for these rules, whatever else the account allows: a frame on the
   * record queue says which project it is of, and a letter is read like what lay there. Without `rules` AWS may send:
   * what becomes of a redrive is not for us to say.
   */
  onlyFrom({ roles, rules }: { roles: readonly { role: IRole }[]; rules?: readonly Rule[] }): void {
    const isService = (is: boolean) => ({ Bool: { 'aws:PrincipalIsAWSService': String(is) } })
    const arns = roles.map(({ role }) => role.roleArn)
    this.#refuse('OnlyOurRoles', {
      ...isService(false),
      ...(arns.length > 0 && { ArnNotEquals: { 'aws:PrincipalArn': arns } }),
    })
    if (rules)
      this.#refuse('OnlyOurRules', {
        ...isService(true),
        ArnNotEquals: { 'aws:SourceArn': rules.map(({ ruleArn }) => ruleArn) },
      })
  }

  #refuse(sid: string, conditions: Record<string, Record<string, string | string[]>>): void {
    this.queue.addToResourcePolicy(
      new PolicyStatement({
        sid,
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['sqs:SendMessage'],
        resources: [this.queue.queueArn],
        conditions,
      }),
    )
  }
}
