import { Duration, Stack } from 'aws-cdk-lib'
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as events from 'aws-cdk-lib/aws-events'
import * as targets from 'aws-cdk-lib/aws-events-targets'
import * as iam from 'aws-cdk-lib/aws-iam'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import * as s3 from 'aws-cdk-lib/aws-s3'
import * as notifications from 'aws-cdk-lib/aws-s3-notifications'
import * as sqs from 'aws-cdk-lib/aws-sqs'
import { code, type Sample } from './app.ts'

/**
 * The EventBridge ETL of cdkpatterns.com: a file that comes into a bucket is taken apart by a container that a function
 * starts; each line goes over the default bus to be transformed, and then to be loaded into a table. All functions are
 * throttled to two. https://github.com/cdk-patterns/serverless/tree/main/the-eventbridge-etl
 */
export const eventbridgeEtl: Sample = {
  build: (app) => {
    const stack = new Stack(app, 'Etl')
    const source = 'cdkpatterns.the-eventbridge-etl'
    const put = new iam.PolicyStatement({ actions: ['events:PutEvents'], resources: ['*'] })
    const throttled = { reservedConcurrentExecutions: 2, timeout: Duration.seconds(3), initialPolicy: [put] }
    const table = new dynamodb.Table(stack, 'TransformedData', {
      partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
    })
    const bucket = new s3.Bucket(stack, 'Landing')
    const queue = new sqs.Queue(stack, 'Landed', { visibilityTimeout: Duration.seconds(300) })
    bucket.addEventNotification(s3.EventType.OBJECT_CREATED, new notifications.SqsDestination(queue))

    const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 2, restrictDefaultSecurityGroup: false })
    const cluster = new ecs.Cluster(stack, 'Cluster', { vpc })
    const reader = new ecs.FargateTaskDefinition(stack, 'Reader', { memoryLimitMiB: 512, cpu: 256 })
    reader.addToTaskRolePolicy(put)
    bucket.grantRead(reader.taskRole)
    reader.addContainer('container', {
      image: ecs.ContainerImage.fromRegistry('public.ecr.aws/docker/library/node'),
    })

    const extract = code(stack, 'Extract', {
      ...throttled,
      environment: { CLUSTER: cluster.clusterName, TASK: reader.taskDefinitionArn },
    })
    extract.addEventSource(new SqsEventSource(queue))
    extract.addToRolePolicy(
      new iam.PolicyStatement({ actions: ['ecs:RunTask'], resources: [reader.taskDefinitionArn] }),
    )

    const transform = code(stack, 'Transform', throttled)
    new events.Rule(stack, 'Extracted', {
      eventPattern: {
        source: [source],
        detailType: ['s3RecordExtraction'],
        detail: { status: ['extracted'] },
      },
      targets: [new targets.LambdaFunction(transform)],
    })
    const load = code(stack, 'Load', throttled)
    table.grantReadWriteData(load)
    new events.Rule(stack, 'Transformed', {
      eventPattern: { source: [source], detailType: ['transform'], detail: { status: ['transformed'] } },
      targets: [new targets.LambdaFunction(load)],
    })
    new events.Rule(stack, 'All', {
      eventPattern: { source: [source] },
      targets: [new targets.LambdaFunction(code(stack, 'Observe', { timeout: Duration.seconds(3) }))],
    })
  },
  rates: {
    version: 1,
    arrivals: { Landing: { 's3:ObjectCreated:Put': '6/min' } },
    service: {
      Extract: { mean: '1500ms', batch: 1 },
      Reader: { mean: '20s' },
      Transform: { mean: '120ms' },
      Load: { mean: '80ms' },
      Observe: { mean: '20ms' },
    },
    sends: [
      { from: 'Extract', to: 'Reader', type: 'file' },
      { from: 'Reader', to: 'default-bus', type: 's3RecordExtraction', ratio: 200 },
      { from: 'Transform', to: 'default-bus', type: 'transform', per: 's3RecordExtraction' },
      // all that these rules ask for more than the type
      { from: 'Extracted', to: 'Transform' },
      { from: 'Transformed', to: 'Load' },
      { from: 'All', to: 'Observe' },
      { from: 'Load', to: 'TransformedData', type: 'row' },
    ],
  },
}
