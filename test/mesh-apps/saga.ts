import { Duration, Stack } from 'aws-cdk-lib'
import * as apigateway from 'aws-cdk-lib/aws-apigateway'
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb'
import * as sfn from 'aws-cdk-lib/aws-stepfunctions'
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks'
import { code, type Sample } from './app.ts'

/**
 * The saga of cdkpatterns.com in JSONPath: a booking is a flight, a hotel and a payment, each undone when a later one fails;
 * what undoes is tried again three times. https://github.com/cdk-patterns/serverless/tree/main/the-saga-stepfunction
 */
export const saga: Sample = {
  build: (app) => {
    const stack = new Stack(app, 'Saga', { env: { region: 'eu-west-2' } })
    const bookings = new dynamodb.Table(stack, 'Bookings', {
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
    })
    const step = (id: string) => {
      const handler = code(stack, `${id}Handler`, { environment: { TABLE: bookings.tableName } })
      bookings.grantReadWriteData(handler)
      // the Retry for what Lambda itself fails is the CDK's own
      return new tasks.LambdaInvoke(stack, id, { lambdaFunction: handler, resultPath: `$.${id}Result` })
    }
    const failed = new sfn.Fail(stack, 'NotBooked')
    const undo = (id: string) => step(id).addRetry({ maxAttempts: 3 })
    const cancelHotel = undo('CancelHotel').next(failed)
    const cancelFlight = undo('CancelFlight').next(cancelHotel)
    const refund = undo('Refund').next(cancelFlight)
    const booking = step('ReserveHotel')
      .addCatch(cancelHotel)
      .next(step('ReserveFlight').addCatch(cancelFlight))
      .next(step('TakePayment').addCatch(refund))
      .next(step('ConfirmHotel').addCatch(refund))
      .next(step('ConfirmFlight').addCatch(refund))
      .next(new sfn.Succeed(stack, 'Booked'))
    const machine = new sfn.StateMachine(stack, 'Booking', {
      definitionBody: sfn.DefinitionBody.fromChainable(booking),
      timeout: Duration.minutes(5),
    })
    const begin = code(stack, 'Begin', { environment: { MACHINE: machine.stateMachineArn } })
    machine.grantStartExecution(begin)
    new apigateway.LambdaRestApi(stack, 'Api', { handler: begin })
  },
  rates: {
    version: 1,
    arrivals: { Api: { booking: '4/s' } },
    service: Object.fromEntries([
      ['Begin', { mean: '50ms' }],
      ...['ReserveHotel', 'ReserveFlight', 'TakePayment', 'ConfirmHotel', 'ConfirmFlight'].map((id) => [
        `${id}Handler`,
        { mean: '300ms' },
      ]),
    ]),
    sends: [{ from: 'Begin', to: 'Booking' }],
  },
}
