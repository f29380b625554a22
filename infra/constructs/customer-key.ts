import type { RemovalPolicy, Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { named, type Stage } from '../stages.ts'

/**
 * The one customer key of a stage. Services that write to our queues, topic and log groups by themselves are granted it
 * here: without EventBridge's grant, rules and their dead letters lose events silently.
 */
export function customerKey(stack: Stack, stage: Stage, removalPolicy: RemovalPolicy): Key {
  const key = new Key(stack, 'key', {
    alias: named(stage, 'data'),
    description: `Loadpath ${stage.name}: everything that is kept`,
    enableKeyRotation: true,
    removalPolicy,
  })
  for (const service of ['events', 'cloudwatch'])
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: `Allow${service}`,
        principals: [new ServicePrincipal(`${service}.amazonaws.com`)],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
      }),
    )
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AllowLogs',
      principals: [new ServicePrincipal(`logs.${stack.region}.amazonaws.com`)],
      actions: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: {
        ArnLike: {
          'kms:EncryptionContext:aws:logs:arn': `arn:${stack.partition}:logs:${stack.region}:${stack.account}:log-group:*loadpath-${stage.name}-*`,
        },
      },
    }),
  )
  // what Step Functions logs is encrypted on its way too; CDK grants that only where it has the key itself
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'AllowLogDelivery',
      principals: [new ServicePrincipal('delivery.logs.amazonaws.com')],
      actions: ['kms:Decrypt'],
      resources: ['*'],
      conditions: {
        StringEquals: {
          'kms:EncryptionContext:SourceArn': `arn:${stack.partition}:logs:${stack.region}:${stack.account}:*`,
        },
      },
    }),
  )
  return key
}
