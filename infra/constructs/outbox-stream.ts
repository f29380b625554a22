import { Duration } from 'aws-cdk-lib'
import { type ITable, Table } from 'aws-cdk-lib/aws-dynamodb'
import {
  CfnEventSourceMapping,
  FilterCriteria,
  FilterRule,
  type IEventSourceDlq,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda'
import { DynamoEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import { Construct } from 'constructs'
import { acknowledge, acknowledgeParameterArn } from './acknowledge.ts'
import type { HouseFunction } from './house-function.ts'

/**
 * New outbox items wake the relay. The stream carries nothing that is not in the table: a batch that is given up loses
 * no event, the sweep sends what stayed.
 */
export class OutboxStream extends Construct {
  readonly mapping: CfnEventSourceMapping

  constructor(
    scope: Construct,
    id: string,
    props: {
      table: { tableArn: string; tableStreamArn: string }
      to: HouseFunction
      failures: IEventSourceDlq
    },
  ) {
    super(scope, id)
    const table: ITable = Table.fromTableAttributes(this, 'table', props.table)
    props.to.invoked.addEventSource(
      new DynamoEventSource(table, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        parallelizationFactor: 1,
        bisectBatchOnError: true,
        retryAttempts: 5,
        maxRecordAge: Duration.hours(1),
        reportBatchItemFailures: true,
        filters: [
          FilterCriteria.filter({
            eventName: FilterRule.isEqual('INSERT'),
            dynamodb: { Keys: { pk: { S: FilterRule.beginsWith('outbox#') } } },
          }),
        ],
        onFailure: props.failures,
      }),
    )
    const [mapping] = props.to.invoked.node.findAll().filter((part) => part instanceof CfnEventSourceMapping)
    if (mapping === undefined) throw new Error(`${this.node.path} has no mapping`)
    this.mapping = mapping
    acknowledge(props.to.role, 'AwsSolutions-IAM5[Resource::*]', 'a mapping lists streams, which names none')
    acknowledgeParameterArn(props.to.role)
  }
}
