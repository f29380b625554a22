import { EventBus } from 'aws-cdk-lib/aws-events'
import { AccountPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import { named, type Stage } from '../stages.ts'

type BusProps = { stage: Stage; key?: IKey | undefined }

/** The door in: this account's roles may put events there, and the accounts that the stage's `projects` name. */
export function inboxBus(scope: Construct, { stage, key }: BusProps): EventBus {
  const bus = new EventBus(scope, 'inbox', { eventBusName: named(stage, 'inbox'), kmsKey: key })
  for (const account of Object.keys(stage.projects))
    bus.addToResourcePolicy(
      new PolicyStatement({
        sid: `Account${account}`,
        principals: [new AccountPrincipal(account)],
        actions: ['events:PutEvents'],
        resources: [bus.eventBusArn],
      }),
    )
  return bus
}

/** The door out: what other teams may put rules on. */
export const eventsBus = (scope: Construct, { stage, key }: BusProps): EventBus =>
  new EventBus(scope, 'events', { eventBusName: named(stage, 'events'), kmsKey: key })
