import { Duration, Stack } from 'aws-cdk-lib'
import * as apigateway from 'aws-cdk-lib/aws-apigateway'
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import { DynamoEventSource, SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import * as sqs from 'aws-cdk-lib/aws-sqs'
import { code, type Sample } from './app.ts'

/**
 * Two of cdkpatterns.com in stacks that refer to each other. The scalable webhook: an API, a queue, and behind it a function
 * that is throttled to two. The dynamo streamer: an API that writes to a table without a function, and one that hears of it
 * by the table's stream. https://github.com/cdk-patterns/serverless/tree/main/the-scalable-webhook
 */
export const scalableWebhook: Sample = {
  build: (app) => {
    const env = { region: 'eu-central-1' }
    const store = new Stack(app, 'Store', { env })
    const table = new dynamodb.Table(store, 'Messages', {
      partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
      stream: dynamodb.StreamViewType.NEW_IMAGE,
    })
    const heard = code(store, 'Heard')
    heard.addEventSource(new DynamoEventSource(table, { startingPosition: lambda.StartingPosition.LATEST }))

    const webhook = new Stack(app, 'Webhook', { env })
    const queue = new sqs.Queue(webhook, 'Calls', { visibilityTimeout: Duration.seconds(300) })
    const publish = code(webhook, 'Publish', { environment: { QUEUE: queue.queueUrl } })
    queue.grantSendMessages(publish)
    const subscribe = code(webhook, 'Subscribe', { reservedConcurrentExecutions: 2 })
    subscribe.addEventSource(new SqsEventSource(queue))
    table.grantReadWriteData(subscribe)
    new apigateway.LambdaRestApi(webhook, 'Endpoint', { handler: publish })

    const streamer = new Stack(app, 'Streamer', { env })
    const role = new iam.Role(streamer, 'Write', {
      assumedBy: new iam.ServicePrincipal('apigateway.amazonaws.com'),
    })
    table.grantWriteData(role)
    const template = { TableName: table.tableName, Item: { id: { S: '$context.requestId' } } }
    const api = new apigateway.RestApi(streamer, 'Direct')
    api.root.addResource('InsertItem').addMethod(
      'POST',
      new apigateway.AwsIntegration({
        ...{ service: 'dynamodb', action: 'PutItem' },
        options: {
          credentialsRole: role,
          requestTemplates: { 'application/json': streamer.toJsonString(template) },
        },
      }),
    )
  },
  rates: {
    version: 1,
    arrivals: { Endpoint: { call: '18/s' }, Direct: { item: '2/s' } },
    service: {
      Publish: { mean: '30ms' },
      Subscribe: { mean: '600ms', batch: 10 },
      Heard: { mean: '50ms', batch: 5 },
    },
    sends: [
      { from: 'Publish', to: 'Calls' },
      { from: 'Subscribe', to: 'Messages' },
    ],
  },
}
