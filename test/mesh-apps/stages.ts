import { Duration, Stack, Stage } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as patterns from 'aws-cdk-lib/aws-ecs-patterns'
import * as kinesis from 'aws-cdk-lib/aws-kinesis'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import { KinesisEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources'
import * as sqs from 'aws-cdk-lib/aws-sqs'
import { code, type Sample } from './app.ts'

/**
 * One system in two stages, as a pipeline deploys it: a load-balanced service that puts into a stream (the README of
 * aws-ecs-patterns), a function that reads it as aws-kinesisstreams-lambda of the Solutions Constructs sets it up (500
 * attempts, a day, halved batches, a queue for what it gives up), one that is read as the default has it, and a service that
 * takes from a queue. https://docs.aws.amazon.com/solutions/latest/constructs/aws-kinesisstreams-lambda.html
 */
export const stages: Sample = {
  build: (app) => {
    for (const [name, region, shards] of [
      ['Beta', 'eu-west-1', 1],
      ['Prod', 'us-east-1', 4],
    ] as const) {
      const stage = new Stage(app, name, { env: { region } })
      const data = new Stack(stage, 'Data')
      const stream = new kinesis.Stream(data, 'Clicks', { shardCount: shards })
      const jobs = new sqs.Queue(data, 'Jobs', {
        ...{ visibilityTimeout: Duration.minutes(5) },
        deadLetterQueue: { queue: new sqs.Queue(data, 'JobLetters'), maxReceiveCount: 3 },
      })
      const consumers = new Stack(stage, 'Consumers')
      const settled = code(consumers, 'Settled', { timeout: Duration.seconds(30) })
      settled.addEventSource(
        new KinesisEventSource(stream, {
          ...{ startingPosition: lambda.StartingPosition.TRIM_HORIZON, bisectBatchOnError: true },
          ...{ maxRecordAge: Duration.hours(24), retryAttempts: 500, parallelizationFactor: 2 },
          onFailure: new SqsDlq(new sqs.Queue(consumers, 'ClickLetters')),
        }),
      )
      const careless = code(consumers, 'Careless')
      careless.addEventSource(
        new KinesisEventSource(stream, { startingPosition: lambda.StartingPosition.TRIM_HORIZON }),
      )
      const services = new Stack(stage, 'Services')
      const vpc = new ec2.Vpc(services, 'Vpc', { maxAzs: 2, restrictDefaultSecurityGroup: false })
      const image = ecs.ContainerImage.fromRegistry('public.ecr.aws/docker/library/nginx')
      const web = new patterns.ApplicationLoadBalancedFargateService(services, 'Web', {
        ...{ vpc, taskImageOptions: { image }, desiredCount: 1 },
      })
      stream.grantWrite(web.taskDefinition.taskRole)
      const worker = new patterns.QueueProcessingFargateService(services, 'Worker', {
        ...{ vpc, image, queue: jobs, minScalingCapacity: 2, maxScalingCapacity: 10 },
      })
      worker.node.addDependency(web)
      jobs.grantSendMessages(web.taskDefinition.taskRole)
    }
  },
  rates: {
    version: 1,
    arrivals: {
      'Prod/Services/Web/LB/Resource': { click: '500/s' },
      'Beta/Services/Web/LB/Resource': { click: '1/s' },
    },
    service: {
      'Prod/Consumers/Settled/Resource': { mean: '200ms', batch: 100 },
      'Prod/Consumers/Careless/Resource': { mean: '900ms', batch: 100 },
      'Prod/Services/Web/Service/Service': { mean: '20ms' },
    },
    sends: [
      { from: 'Prod/Services/Web/Service/Service', to: 'Prod/Data/Clicks/Resource', type: 'click' },
      { from: 'Prod/Services/Web/Service/Service', to: 'Prod/Data/Jobs/Resource', type: 'job', ratio: 0.01 },
    ],
  },
}
