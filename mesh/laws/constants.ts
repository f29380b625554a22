// Longer than 300 lines: a table, each row what AWS publishes of one limit.

/*
 * A date of 2026-11 or later: what the source says was read then, at its address or in a copy of the page. An earlier date:
 * as it was known then; nobody has opened the address since. Give what matters to you anew, by its name.
 */

/** A number that AWS gives, as of when and where (see above). Numbers change: each may be given anew by its name. */
export type Constant = {
  name: string
  value: number
  unit: string
  /** year and month */
  dated: string
  source: string
  says: string
}

type Given = Omit<Constant, 'name' | 'value'>

const of = (
  name: string,
  value: number,
  unit: string,
  dated: string,
  source: string,
  says: string,
): Constant => ({
  name,
  value,
  unit,
  dated,
  source,
  says,
})

/** `<name>/<region>` for each region that has a number of its own, and `<name>` for all others. */
const byRegion = (
  name: string,
  others: number,
  regions: Record<string, number>,
  given: Given,
): Constant[] => [
  ...Object.entries(regions).map(([region, value]) => ({ name: `${name}/${region}`, value, ...given })),
  { name, value: others, ...given },
]

const eventbridge = 'https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html'
const ruleRetries = 'https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html'
const lambdaQuotas = 'https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html'
const asyncErrors = 'https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html'
const sqsScaling = 'https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html'
const eventSources =
  'https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-lambda-eventsourcemapping.html'
const pollerConfig = 'https://docs.aws.amazon.com/lambda/latest/api/API_ProvisionedPollerConfig.html'
const streamSources = 'https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html'
const kinesisPolling = 'https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html'
const expressQuotas = 'https://docs.aws.amazon.com/step-functions/latest/dg/express-limits.html'
const sqsQuotas =
  'https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html'
const queueDefaults =
  'https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-sqs-queue.html'
const snsQuotas = 'https://docs.aws.amazon.com/general/latest/gr/sns.html'
const snsRetries = 'https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html'
const statesQuotas = 'https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html'
const statesErrors = 'https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html'
const onDemand =
  'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html'
const kinesisQuotas = 'https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html'
const apiQuotas = 'https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html'
const measured = 'measurements of 2022 and 2023, published'
const lambdaConcurrency = 'https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html'
const bpPartitionKeyDesign =
  'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html'
const featureRetryBehavior = 'https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html'

const smallApiRegions = [
  ...['af-south-1', 'ap-south-2', 'ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-7'],
  ...[
    'ca-west-1',
    'eu-central-2',
    'eu-south-1',
    'eu-south-2',
    'il-central-1',
    'me-central-1',
    'mx-central-1',
  ],
]

export const constants: readonly Constant[] = [
  ...byRegion(
    'eventbridge-put-events',
    400,
    {
      'us-east-1': 10_000,
      'us-west-2': 10_000,
      'eu-west-1': 10_000,
      'us-east-2': 2_400,
      'eu-central-1': 2_400,
      'eu-south-2': 2_400,
      'us-west-1': 1_200,
      'ap-northeast-1': 1_200,
      'ap-southeast-1': 1_200,
      'ap-southeast-2': 1_200,
      'eu-west-2': 1_200,
      'ap-east-1': 600,
      'ap-northeast-2': 600,
      'ap-south-1': 600,
      'ca-central-1': 600,
      'eu-north-1': 600,
      'eu-west-3': 600,
      'sa-east-1': 600,
    },
    {
      unit: 'requests/s',
      dated: '2026-11',
      source: eventbridge,
      says: 'PutEvents a second of an account in a region; beyond it they are refused',
    },
  ),
  ...byRegion(
    'eventbridge-invocations',
    750,
    {
      'us-east-1': 18_750,
      'us-west-2': 18_750,
      'eu-west-1': 18_750,
      'us-east-2': 4_500,
      'eu-central-1': 4_500,
      'eu-south-2': 4_500,
      'us-west-1': 2_250,
      'ap-northeast-1': 2_250,
      'ap-southeast-1': 2_250,
      'ap-southeast-2': 2_250,
      'eu-west-2': 2_250,
      'ap-east-1': 1_100,
      'ap-northeast-2': 1_100,
      'ap-south-1': 1_100,
      'ca-central-1': 1_100,
      'eu-north-1': 1_100,
      'eu-west-3': 1_100,
      'sa-east-1': 1_100,
    },
    {
      unit: 'deliveries/s',
      dated: '2026-11',
      source: eventbridge,
      says: 'invocations of targets a second of an account in a region; beyond it they are delayed',
    },
  ),
  of(
    'eventbridge-retries',
    185,
    'retries',
    '2026-11',
    ruleRetries,
    'tries again at most so often; only what the target answers with 5xx or 429',
  ),
  of('eventbridge-max-age', 86_400, 's', '2026-11', ruleRetries, 'then gives up'),
  of(
    'eventbridge-retry-interval',
    1,
    's',
    '2025-06',
    ruleRetries,
    'exponential with jitter; the first wait is not published, taken as a second',
  ),
  ...byRegion(
    'scheduler-invocations',
    500,
    Object.fromEntries(
      [
        ...['us-east-1', 'us-east-2', 'us-west-2', 'eu-west-1', 'eu-west-2', 'eu-central-1', 'sa-east-1'],
        ...['ap-northeast-1', 'ap-south-1', 'ap-southeast-1', 'ap-southeast-2'],
      ].map((region) => [region, 1_000]),
    ),
    {
      unit: 'deliveries/s',
      dated: '2025-06',
      source: 'https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html',
      says: 'invocations of targets a second of an account in a region',
    },
  ),
  ...byRegion(
    'pipe-concurrency',
    1_000,
    { 'us-east-1': 3_000, 'us-west-2': 3_000, 'eu-west-1': 3_000 },
    {
      unit: 'executions',
      dated: '2026-11',
      source: eventbridge,
      says: 'concurrent executions of pipes of an account in a region',
    },
  ),
  of(
    'lambda-concurrency',
    1_000,
    'environments',
    '2026-11',
    lambdaQuotas,
    'of all functions of an account in a region together, what some reserve included; raised on request',
  ),
  of(
    'lambda-unreserved',
    100,
    'environments',
    '2025-06',
    'https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html',
    'of these stay with the functions that reserve none, however many the others reserve',
  ),
  of(
    'lambda-requests-per-environment',
    10,
    'requests/s',
    '2026-11',
    lambdaQuotas,
    'synchronous requests a second are at most so many times the concurrency; of asynchronous ones there is no such limit',
  ),
  of(
    'lambda-scaling-step',
    1_000,
    'environments',
    '2026-11',
    lambdaConcurrency,
    'each function gains at most so many environments in a step',
  ),
  of('lambda-scaling-interval', 10, 's', '2026-11', lambdaConcurrency, 'of one such step'),
  of('lambda-timeout', 3, 's', '2025-06', lambdaQuotas, 'of a function whose template gives none'),
  of(
    'lambda-url-timeout',
    900,
    's',
    '2025-06',
    lambdaQuotas,
    'of a request to the address of a function: as long as functions may run',
  ),
  of('lambda-memory', 128, 'MB', '2025-06', lambdaQuotas, 'of a function whose template gives none'),
  of(
    'lambda-async-retries',
    2,
    'retries',
    '2026-11',
    asyncErrors,
    'of an asynchronous invocation whose function fails',
  ),
  of(
    'lambda-async-interval',
    60,
    's',
    '2026-11',
    asyncErrors,
    'before the first retry; two minutes before the second',
  ),
  of(
    'lambda-async-max-age',
    21_600,
    's',
    '2026-11',
    asyncErrors,
    'throttled and failed ones are tried for so long, then dropped',
  ),
  of(
    'lambda-async-throttled-interval',
    1,
    's',
    '2026-11',
    asyncErrors,
    'before a throttled one is tried again; it grows exponentially, taken to double',
  ),
  of('lambda-async-throttled-max-delay', 300, 's', '2026-11', asyncErrors, 'between two such attempts'),
  of('lambda-sqs-initial', 5, 'batches', '2026-11', sqsScaling, 'at once, when messages begin to come'),
  of('lambda-sqs-per-minute', 300, 'batches/min', '2026-11', sqsScaling, 'more of them each minute'),
  of(
    'lambda-sqs-most',
    1_250,
    'batches',
    '2026-11',
    sqsScaling,
    'at once of one event source without a maximum of its own',
  ),
  of('lambda-poller-concurrency', 10, 'batches', '2025-06', sqsScaling, 'at once of one provisioned poller'),
  of(
    'lambda-poller-minimum',
    2,
    'pollers',
    '2026-11',
    pollerConfig,
    'of provisioned mode whose template gives none',
  ),
  of(
    'lambda-poller-maximum',
    200,
    'pollers',
    '2026-11',
    pollerConfig,
    'of provisioned mode whose template gives none',
  ),
  of(
    'lambda-poller-per-minute',
    1_000,
    'batches/min',
    '2026-11',
    sqsScaling,
    'more of them each minute in provisioned mode',
  ),
  of('lambda-sqs-batch', 10, 'messages', '2025-06', eventSources, 'of a batch whose template gives none'),
  of('lambda-stream-batch', 100, 'records', '2026-11', streamSources, 'of a batch whose template gives none'),
  of('latency-sqs-p50', 0.016, 's', '2023-01', measured, 'SQS to function, half are faster'),
  of('latency-sqs-p99', 0.105, 's', '2023-01', measured, 'SQS to function, one in a hundred is slower'),
  of('latency-sqs-fifo-p50', 0.028, 's', '2023-01', measured, 'SQS FIFO to function, half are faster'),
  of(
    'latency-sqs-fifo-p99',
    0.645,
    's',
    '2023-01',
    measured,
    'SQS FIFO to function, one in a hundred is slower',
  ),
  of('latency-eventbridge-p50', 0.148, 's', '2023-01', measured, 'EventBridge to target, half are faster'),
  of(
    'latency-eventbridge-p99',
    0.387,
    's',
    '2023-01',
    measured,
    'EventBridge to target, one in a hundred is slower',
  ),
  of('latency-sns-p50', 0.073, 's', '2023-01', measured, 'SNS to subscriber, half are faster'),
  of('latency-sns-p99', 0.225, 's', '2023-01', measured, 'SNS to subscriber, one in a hundred is slower'),
  of(
    'latency-dynamodb-streams-p50',
    0.213,
    's',
    '2023-01',
    measured,
    'DynamoDB Streams to function, half are faster',
  ),
  of(
    'latency-dynamodb-streams-p99',
    0.552,
    's',
    '2023-01',
    measured,
    'DynamoDB Streams to function, one in a hundred is slower',
  ),
  of(
    'latency-kinesis-p50',
    0.5,
    's',
    '2026-11',
    kinesisPolling,
    'until an idle poller looks into its shard, which it does once a second: half are faster',
  ),
  of(
    'latency-kinesis-p99',
    0.99,
    's',
    '2026-11',
    kinesisPolling,
    'until an idle poller looks into its shard: one in a hundred is slower',
  ),
  of('sqs-in-flight', 120_000, 'messages', '2026-11', sqsQuotas, 'received and not yet deleted'),
  of(
    'sqs-fifo',
    300,
    'requests/s',
    '2026-11',
    sqsQuotas,
    'of each action on a FIFO queue; 3,000 messages with batches of ten',
  ),
  ...byRegion(
    'sqs-fifo-high',
    2_400,
    {
      'us-east-1': 70_000,
      'us-west-2': 70_000,
      'eu-west-1': 70_000,
      'us-east-2': 19_000,
      'eu-central-1': 19_000,
      'ap-south-1': 9_000,
      'ap-southeast-1': 9_000,
      'ap-southeast-2': 9_000,
      'ap-northeast-1': 9_000,
      'eu-west-2': 4_500,
      'sa-east-1': 4_500,
    },
    {
      unit: 'requests/s',
      dated: '2026-11',
      source: sqsQuotas,
      says: 'of each action on a FIFO queue in high throughput mode',
    },
  ),
  of('sqs-visibility', 30, 's', '2026-11', queueDefaults, 'of a queue whose template gives none'),
  of('sqs-retention', 345_600, 's', '2026-11', sqsQuotas, 'of a queue whose template gives none'),
  ...byRegion(
    'sns-publish',
    300,
    {
      'us-east-1': 30_000,
      'us-west-2': 9_000,
      'eu-west-1': 9_000,
      'us-east-2': 1_500,
      'us-west-1': 1_500,
      'eu-central-1': 1_500,
      'ap-south-1': 1_500,
      'ap-northeast-1': 1_500,
      'ap-southeast-1': 1_500,
      'ap-southeast-2': 1_500,
    },
    {
      unit: 'messages/s',
      dated: '2025-06',
      source: snsQuotas,
      says: 'published by an account in a region to standard topics',
    },
  ),
  of(
    'sns-fifo',
    3_000,
    'messages/s',
    '2025-01',
    snsQuotas,
    'published to one FIFO topic, of which each group has 300; in high throughput mode as to standard ones',
  ),
  of(
    'sns-retries',
    100_014,
    'retries',
    '2026-11',
    snsRetries,
    'to SQS, Lambda and Firehose: 100,015 attempts',
  ),
  of('sns-max-age', 1_987_200, 's', '2026-11', snsRetries, '23 days of them'),
  of('sns-interval', 1, 's', '2026-11', snsRetries, 'after three immediate ones'),
  of('sns-max-delay', 20, 's', '2026-11', snsRetries, 'between two of them'),
  of(
    'sns-http-retries',
    3,
    'retries',
    '2026-11',
    snsRetries,
    'to HTTP endpoints whose template gives no policy',
  ),
  of('sns-http-interval', 20, 's', '2026-11', snsRetries, 'between two of them'),
  of('sns-http-max-age', 3_600, 's', '2026-11', snsRetries, 'the longest that a policy may ask for'),
  of('sns-other-retries', 49, 'retries', '2026-11', snsRetries, 'to mail, messages and phones'),
  of('sns-other-max-age', 21_600, 's', '2026-11', snsRetries, 'six hours of them'),
  ...byRegion(
    'states-start-rate',
    150,
    { 'us-east-1': 300, 'us-west-2': 300, 'eu-west-1': 300 },
    {
      unit: 'requests/s',
      dated: '2026-11',
      source: statesQuotas,
      says: 'StartExecution of standard machines, of an account in a region',
    },
  ),
  ...byRegion(
    'states-start-burst',
    800,
    { 'us-east-1': 1_300, 'us-west-2': 1_300, 'eu-west-1': 1_300 },
    {
      unit: 'requests',
      dated: '2026-11',
      source: statesQuotas,
      says: 'StartExecution of standard machines, of an account in a region',
    },
  ),
  of(
    'states-express-start-rate',
    6_000,
    'requests/s',
    '2026-11',
    statesQuotas,
    'StartExecution of express machines, of an account in a region',
  ),
  of(
    'states-express-start-burst',
    6_000,
    'requests',
    '2026-11',
    statesQuotas,
    'StartExecution of express machines, of an account in a region',
  ),
  of('states-express-timeout', 300, 's', '2026-11', expressQuotas, 'of an express execution'),
  of('states-execution-time', 31_536_000, 's', '2025-06', statesQuotas, 'a year, of a standard execution'),
  of(
    'states-task-timeout',
    99_999_999,
    's',
    '2025-06',
    'https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html',
    'of a task whose definition gives none',
  ),
  of('states-retry-attempts', 3, 'retries', '2026-11', statesErrors, 'of a Retry that gives none'),
  of('states-retry-interval', 1, 's', '2026-11', statesErrors, 'of a Retry that gives none'),
  of('states-retry-backoff', 2, 'times', '2026-11', statesErrors, 'of a Retry that gives none'),
  of(
    'states-distributed-concurrency',
    10_000,
    'children',
    '2025-06',
    statesQuotas,
    'at once of a distributed Map that gives none',
  ),
  of(
    'states-inline-concurrency',
    40,
    'iterations',
    '2025-06',
    'https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html',
    'at once of an inline Map that gives none',
  ),
  of(
    'dynamodb-new-table-writes',
    4_000,
    'writes/s',
    '2026-11',
    onDemand,
    "of a new table on demand; grows to twice the last half hour's peak",
  ),
  of(
    'dynamodb-new-table-reads',
    12_000,
    'reads/s',
    '2025-06',
    onDemand,
    "of a new table on demand; grows to twice the last half hour's peak",
  ),
  of(
    'dynamodb-partition-writes',
    1_000,
    'writes/s',
    '2026-11',
    bpPartitionKeyDesign,
    'of one partition, so of one key',
  ),
  of(
    'dynamodb-burst',
    300,
    's',
    '2025-06',
    'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html',
    'of provisioned capacity that was not used is kept',
  ),
  of(
    'dynamodb-provisioned',
    5,
    'units',
    '2025-06',
    'https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-dynamodb-table.html',
    'of a GlobalTable whose reads or writes scale by themselves, at the least',
  ),
  of(
    'dynamodb-stream-retention',
    86_400,
    's',
    '2026-11',
    'https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html',
    'of a change in the stream of a table',
  ),
  of('kinesis-shard-records', 1_000, 'messages/s', '2026-11', kinesisQuotas, 'written to one shard'),
  of('kinesis-on-demand-records', 4_000, 'messages/s', '2026-11', kinesisQuotas, 'of a new stream on demand'),
  of('kinesis-retention', 86_400, 's', '2025-06', kinesisQuotas, 'of a stream whose template gives none'),
  ...byRegion(
    'apigateway-rate',
    10_000,
    Object.fromEntries(smallApiRegions.map((region) => [region, 2_500])),
    {
      unit: 'requests/s',
      dated: '2026-11',
      source: apiQuotas,
      says: 'of all APIs of an account in a region together',
    },
  ),
  ...byRegion(
    'apigateway-burst',
    5_000,
    Object.fromEntries(smallApiRegions.map((region) => [region, 1_250])),
    {
      unit: 'requests',
      dated: '2026-11',
      source: apiQuotas,
      says: 'of all APIs of an account in a region together',
    },
  ),
  of('apigateway-http-timeout', 30, 's', '2026-11', apiQuotas, 'of an integration of an HTTP API'),
  of(
    'apigateway-rest-timeout',
    29,
    's',
    '2026-11',
    apiQuotas,
    'of an integration of a REST or WebSocket API',
  ),
  of(
    'elb-timeout',
    60,
    's',
    '2025-06',
    'https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html',
    'of an idle connection',
  ),
  of(
    's3-notification-retries',
    0,
    'retries',
    '2025-06',
    'https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html',
    'S3 publishes none to queues and topics; counted as one attempt',
  ),
  of(
    'ecs-scale-out-cooldown',
    300,
    's',
    '2026-11',
    'https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html',
    'of target tracking of a service, between two steps',
  ),
  of(
    'sdk-attempts',
    3,
    'attempts',
    '2026-11',
    featureRetryBehavior,
    'of one call by an AWS SDK in its standard mode',
  ),
  of('sdk-interval', 0.1, 's', '2025-06', featureRetryBehavior, 'before the first retry, with full jitter'),
  of('sdk-max-delay', 20, 's', '2025-06', featureRetryBehavior, 'between two attempts'),
  of(
    'apidestination-rate',
    300,
    'requests/s',
    '2026-11',
    eventbridge,
    'of an API destination whose template gives none',
  ),
]
