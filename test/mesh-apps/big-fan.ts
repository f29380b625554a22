import { CfnOutput, CfnParameter, Duration, Stack } from 'aws-cdk-lib'
import * as apigateway from 'aws-cdk-lib/aws-apigateway'
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch'
import * as iam from 'aws-cdk-lib/aws-iam'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import * as sns from 'aws-cdk-lib/aws-sns'
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions'
import * as sqs from 'aws-cdk-lib/aws-sqs'
import { code, type Sample } from './app.ts'

/**
 * The big fan of cdkpatterns.com: an API publishes to a topic without a function, and two queues take what they want of it.
 * One has all that AWS asks for, the other nothing. https://github.com/cdk-patterns/serverless/tree/main/the-big-fan
 */
export const bigFan: Sample = {
  build: (app) => {
    const stack = new Stack(app, 'Fan', { env: { region: 'us-west-2' } })
    const topic = new sns.Topic(stack, 'Events')
    const letters = new sqs.Queue(stack, 'Letters', { retentionPeriod: Duration.days(14) })
    new cloudwatch.Alarm(stack, 'LettersAlarm', {
      ...{ metric: letters.metricApproximateNumberOfMessagesVisible(), threshold: 1, evaluationPeriods: 1 },
    }).addAlarmAction({ bind: () => ({ alarmActionArn: 'arn:aws:sns:us-west-2:111111111111:people' }) })
    const created = new sqs.Queue(stack, 'Created', {
      ...{ visibilityTimeout: Duration.seconds(60), retentionPeriod: Duration.days(7) },
      deadLetterQueue: { queue: letters, maxReceiveCount: 5 },
    })
    const others = new sqs.Queue(stack, 'Others', { visibilityTimeout: Duration.seconds(20) })
    const filtered = (status: sns.SubscriptionFilter, deadLetterQueue?: sqs.IQueue) => ({
      ...{ rawMessageDelivery: true, filterPolicy: { status }, ...(deadLetterQueue && { deadLetterQueue }) },
    })
    const asCreated = sns.SubscriptionFilter.stringFilter({ allowlist: ['created'] })
    const notCreated = sns.SubscriptionFilter.stringFilter({ denylist: ['created'] })
    topic.addSubscription(new subscriptions.SqsSubscription(created, filtered(asCreated, letters)))
    topic.addSubscription(new subscriptions.SqsSubscription(others, filtered(notCreated)))

    const well = code(stack, 'Well', { timeout: Duration.seconds(10) })
    well.addEventSource(new SqsEventSource(created, { reportBatchItemFailures: true, maxConcurrency: 20 }))
    const seconds = new CfnParameter(stack, 'Seconds', { type: 'Number' })
    const badly = code(stack, 'Badly', { timeout: Duration.seconds(30) })
    badly.addEventSource(
      new SqsEventSource(others, { maxBatchingWindow: Duration.seconds(seconds.valueAsNumber) }),
    )

    const role = new iam.Role(stack, 'Publish', {
      assumedBy: new iam.ServicePrincipal('apigateway.amazonaws.com'),
    })
    topic.grantPublish(role)
    const api = new apigateway.RestApi(stack, 'Api', {
      deployOptions: { throttlingRateLimit: 50, throttlingBurstLimit: 20 },
    })
    api.root.addResource('SendEvent').addMethod(
      'POST',
      new apigateway.AwsIntegration({
        ...{ service: 'sns', path: '/', integrationHttpMethod: 'POST' },
        options: {
          credentialsRole: role,
          requestParameters: {
            'integration.request.header.Content-Type': "'application/x-www-form-urlencoded'",
          },
          requestTemplates: {
            'application/json': `Action=Publish&TopicArn=$util.urlEncode('${topic.topicArn}')&Message=$util.urlEncode($input.body)`,
          },
        },
      }),
    )
    new CfnOutput(stack, 'Topic', { value: topic.topicArn, exportName: 'fan-topic' })
  },
  rates: {
    version: 1,
    arrivals: { Api: { posted: '40/s' } },
    service: { Well: { mean: '400ms', batch: 1 }, Badly: { mean: '2s', batch: 4 } },
    sends: [
      { from: 'Events', to: 'Created', type: 'posted', ratio: 0.9 },
      { from: 'Events', to: 'Others', type: 'posted', ratio: 0.1 },
    ],
    failures: { Badly: 0.05 },
  },
}
