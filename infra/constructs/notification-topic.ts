import type { Stack } from 'aws-cdk-lib'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { named, type Stage } from '../stages.ts'
import { acknowledge } from './acknowledge.ts'

/** What people should read: messages of `notify`, and alarms. `-c notify=<address>` subscribes one. */
export function notificationTopic(
  stack: Stack,
  { stage, key }: { stage: Stage; key?: IKey | undefined },
): Topic {
  const topic = new Topic(stack, 'notifications', {
    topicName: named(stage, 'notifications'),
    enforceSSL: true,
    masterKey: key,
  })
  // the policy that enforces TLS takes the place of the one that let the account's alarms in
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: 'Alarms',
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
    }),
  )
  if (stage.notify !== undefined) {
    topic.addSubscription(new EmailSubscription(stage.notify))
    acknowledge(
      topic,
      'Serverless-SNSRedrivePolicy',
      'a mail that cannot be delivered helps nobody later; what it says is in the history or in the alarm',
    )
  }
  return topic
}
