import { App, Duration, Stack } from 'aws-cdk-lib'
import { AttributeType, TableV2 } from 'aws-cdk-lib/aws-dynamodb'
import { EventBus, Rule } from 'aws-cdk-lib/aws-events'
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import { Code, Function as Lambda, Runtime } from 'aws-cdk-lib/aws-lambda'
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { Queue } from 'aws-cdk-lib/aws-sqs'

/** Synthesizes a large app of plain constructs into a folder: so many stacks, each near what a stack may have. */
const [outdir = '', stacks = '20'] = process.argv.slice(2)
const subscribersOfStack = 55

const app = new App({ outdir })
for (let number = 0; number < Number(stacks); number++) {
  const stack = new Stack(app, `Stack${number}`)
  const bus = new EventBus(stack, 'bus')
  const table = new TableV2(stack, 'table', { partitionKey: { name: 'id', type: AttributeType.STRING } })
  const letters = new Queue(stack, 'letters', { retentionPeriod: Duration.days(14) })
  for (let place = 0; place < subscribersOfStack; place++) {
    const handler = new Lambda(stack, `handler-${place}`, {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline('exports.handler = () => {}'),
      timeout: Duration.seconds(10),
    })
    const queue = new Queue(stack, `queue-${place}`, {
      visibilityTimeout: Duration.minutes(1),
      deadLetterQueue: { queue: letters, maxReceiveCount: 5 },
    })
    handler.addEventSource(new SqsEventSource(queue, { maxConcurrency: 10, reportBatchItemFailures: true }))
    new Rule(stack, `rule-${place}`, {
      eventBus: bus,
      eventPattern: { detailType: [`order.${place % 5}`] },
      targets: [new SqsQueue(queue)],
    })
    table.grantReadWriteData(handler)
    if (place % 4 === 0) bus.grantPutEventsTo(handler)
  }
}
app.synth()
