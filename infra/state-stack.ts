import type { App } from 'aws-cdk-lib'
import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb'
import type { Key } from 'aws-cdk-lib/aws-kms'
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import { type TableDescription, type TableName, tables } from '../adapters/aws/tables.ts'
import { retentionDays } from '../events/event-type.ts'
import { acknowledge } from './constructs/acknowledge.ts'
import { customerKey } from './constructs/customer-key.ts'
import { named, parameterName, type Stage } from './stages.ts'

/** What must outlive a deployment: three tables, the bucket, the webhook secrets, and the customer key if there is one. */
export class StateStack extends Stack {
  constructor(scope: App, id: string, props: StackProps & { stage: Stage }) {
    super(scope, id, { ...props, description: `Loadpath ${props.stage.name}: tables, bucket, secrets` })
    const { stage } = props
    const removalPolicy = stage.data === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY
    const key = stage.cmk ? customerKey(this, stage, removalPolicy) : undefined

    this.#table(stage, 'history', removalPolicy, key)
    const memory = this.#table(stage, 'memory', removalPolicy, key)
    this.#table(stage, 'ephemeral', removalPolicy, key)
    this.#bucket(stage, removalPolicy, key)
    const secret = this.#webhookSecret(removalPolicy, key)

    const say = (name: string, stringValue: string) =>
      new StringParameter(this, `Parameter-${name}`, {
        parameterName: parameterName(stage, name),
        stringValue,
      })
    say('memory-stream', memory.tableStreamArn ?? '')
    say('webhook-secret', secret.secretArn)
    if (key) say('key', key.keyArn)
  }

  #table(stage: Stage, name: TableName, removalPolicy: RemovalPolicy, key?: Key): Table {
    const description: TableDescription = tables[name]
    const attribute = (of: string) => ({ name: of, type: AttributeType.STRING })
    const keys = ({ pk, sk }: { pk: string; sk?: string }) => ({
      partitionKey: attribute(pk),
      ...(sk === undefined ? {} : { sortKey: attribute(sk) }),
    })
    const table = new Table(this, `${name}-table`, {
      tableName: named(stage, name),
      ...keys(description.keys),
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: description.ttl,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: description.pointInTimeRecovery },
      deletionProtection: stage.data === 'retain',
      encryption: key ? TableEncryption.CUSTOMER_MANAGED : TableEncryption.DEFAULT,
      encryptionKey: key,
      stream: description.stream === undefined ? undefined : StreamViewType[description.stream],
      removalPolicy,
    })
    for (const [indexName, index] of Object.entries(description.indexes))
      table.addGlobalSecondaryIndex({ indexName, ...keys(index), projectionType: ProjectionType.KEYS_ONLY })
    if (!description.pointInTimeRecovery)
      acknowledge(
        table,
        'AwsSolutions-DDB3',
        'leases, counters and idempotency keys: worthless when restored',
      )
    return table
  }

  /**
   * Bodies over 64 KB, by retention, and what asynchronous invocations could not deliver. What is held for a person is
   * kept as long as what is kept longest.
   */
  #bucket(stage: Stage, removalPolicy: RemovalPolicy, key?: Key): Bucket {
    const expire = (prefix: string, days: number) => ({ prefix, expiration: Duration.days(days) })
    const bucket = new Bucket(this, 'bucket', {
      bucketName: named(stage, `bodies-${this.account}-${this.region}`),
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      encryption: key ? BucketEncryption.KMS : BucketEncryption.S3_MANAGED,
      encryptionKey: key,
      bucketKeyEnabled: key !== undefined,
      lifecycleRules: [
        ...Object.entries(retentionDays).map(([retention, days]) => expire(`${retention}/`, days + 1)),
        expire('held/', Math.max(...Object.values(retentionDays)) + 1),
        expire('aws/lambda/', 14),
        { abortIncompleteMultipartUploadAfter: Duration.days(1) },
      ],
      removalPolicy,
      autoDeleteObjects: stage.emptiesBucket && stage.data === 'destroy',
    })
    acknowledge(
      bucket,
      'AwsSolutions-S1',
      'read and written by our functions only; who asked for a body is an event',
    )
    return bucket
  }

  /** `<source>/<project>/current` and `…/previous`, flat; an empty one is none. Changing the template makes a new secret. */
  #webhookSecret(removalPolicy: RemovalPolicy, key?: Key): Secret {
    const secret = new Secret(this, 'webhook-secret', {
      description: 'Webhook secrets: <source>/<project>/current and <source>/<project>/previous',
      generateSecretString: {
        secretStringTemplate: '{"github/main/previous":""}',
        generateStringKey: 'github/main/current',
        excludePunctuation: true,
        passwordLength: 40,
      },
      encryptionKey: key,
      removalPolicy,
    })
    acknowledge(
      secret,
      'AwsSolutions-SMG4',
      'shared with GitHub and other senders: rotated together with them, current and previous both accepted',
    )
    return secret
  }
}
