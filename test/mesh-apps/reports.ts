import { Duration, NestedStack, Stack } from 'aws-cdk-lib'
import * as events from 'aws-cdk-lib/aws-events'
import * as targets from 'aws-cdk-lib/aws-events-targets'
import * as sqs from 'aws-cdk-lib/aws-sqs'
import * as sfn from 'aws-cdk-lib/aws-stepfunctions'
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks'
import { code, type Sample } from './app.ts'

/**
 * What the Step Functions guide describes as processing a list: a Map with its own concurrency, a Parallel with a callback
 * beside a put event, in JSONata; the functions are in a nested stack, the machine is started every hour.
 * https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html
 */
export const reports: Sample = {
  build: (app) => {
    const stack = new Stack(app, 'Reports', { env: { region: 'us-east-1' } })
    const workers = new NestedStack(stack, 'Workers')
    const list = code(workers, 'List', { timeout: Duration.seconds(10) })
    const render = code(workers, 'Render', { timeout: Duration.minutes(2), reservedConcurrentExecutions: 10 })
    const approvals = new sqs.Queue(stack, 'Approvals')
    const bus = new events.EventBus(stack, 'Bus')

    const rendering = tasks.LambdaInvoke.jsonata(stack, 'RenderOne', {
      lambdaFunction: render,
      retryOnServiceExceptions: false,
      taskTimeout: sfn.Timeout.duration(Duration.minutes(1)),
    }).addRetry({ errors: ['States.ALL'], maxAttempts: 2, interval: Duration.seconds(2), backoffRate: 3 })
    const each = sfn.Map.jsonata(stack, 'RenderEach', {
      items: sfn.ProvideItems.jsonata('{% $states.input.reports %}'),
      maxConcurrency: 40,
    }).itemProcessor(rendering)
    const after = sfn.Parallel.jsonata(stack, 'After')
      .branch(
        tasks.SqsSendMessage.jsonata(stack, 'Ask', {
          queue: approvals,
          integrationPattern: sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
          messageBody: sfn.TaskInput.fromObject({ token: '{% $states.context.Task.Token %}' }),
        }),
      )
      .branch(
        tasks.EventBridgePutEvents.jsonata(stack, 'Tell', {
          entries: [
            {
              ...{ eventBus: bus, source: 'reports', detailType: 'reports.rendered' },
              detail: sfn.TaskInput.fromObject({ count: '{% $count($states.input) %}' }),
            },
          ],
        }),
      )
    const machine = new sfn.StateMachine(stack, 'Rendering', {
      queryLanguage: sfn.QueryLanguage.JSONATA,
      definitionBody: sfn.DefinitionBody.fromChainable(
        tasks.LambdaInvoke.jsonata(stack, 'ListAll', {
          lambdaFunction: list,
          retryOnServiceExceptions: false,
        })
          .next(each)
          .next(after),
      ),
    })
    new events.Rule(stack, 'Hourly', {
      schedule: events.Schedule.rate(Duration.hours(1)),
      targets: [new targets.SfnStateMachine(machine)],
    })
    new events.Rule(stack, 'Rendered', {
      ...{ eventBus: bus, eventPattern: { source: ['reports'], detailType: ['reports.rendered'] } },
      targets: [new targets.LambdaFunction(code(workers, 'Publish'))],
    })
  },
  rates: {
    version: 1,
    service: { List: { mean: '2s' }, Render: { mean: '40s', scv: 0.5 }, Publish: { mean: '1s' } },
    sends: [{ from: 'Rendering', to: 'RenderOne', ratio: 60 }],
  },
}
