import { RemovalPolicy } from 'aws-cdk-lib'
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import {
  CfnIntegration,
  HttpApi,
  type HttpMethod,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { LogGroup } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { named, type Stage } from '../stages.ts'
import { acknowledge } from './acknowledge.ts'
import type { HouseFunction } from './house-function.ts'

export type HttpRoute = { method: HttpMethod; path: string; to: HouseFunction }

/** The HTTP API. It knows no credentials: functions check keys and signatures, and refuse without one. */
export class HttpDoor extends Construct {
  readonly api: HttpApi
  /** what each route hands requests on by */
  readonly routes: { to: HouseFunction; integration: CfnIntegration }[]

  constructor(
    scope: Construct,
    id: string,
    props: { stage: Stage; key?: IKey | undefined; routes: readonly HttpRoute[] },
  ) {
    super(scope, id)
    const { stage, key } = props
    this.api = new HttpApi(this, 'api', { apiName: named(stage, 'api'), createDefaultStage: false })
    new HttpStage(this, 'stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: stage.throttle.rate, burstLimit: stage.throttle.burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(
          new LogGroup(this, 'logs', {
            logGroupName: `/aws/vendedlogs/http/${named(stage, 'api')}`,
            retention: stage.logDays,
            encryptionKey: key,
            removalPolicy: RemovalPolicy.DESTROY,
          }),
        ),
        format: AccessLogFormat.custom(
          JSON.stringify({
            requestId: '$context.requestId',
            time: '$context.requestTimeEpoch',
            route: '$context.routeKey',
            status: '$context.status',
            bytes: '$context.responseLength',
            latency: '$context.responseLatency',
            error: '$context.error.message',
          }),
        ),
      },
    })
    this.routes = props.routes.flatMap(({ method, path, to }) => {
      const integration = new HttpLambdaIntegration(`${to.name}-integration`, to.invoked)
      const made = this.api.addRoutes({ path, methods: [method], integration })
      return made
        .flatMap((route) => route.node.findAll())
        .flatMap((part) => (part instanceof CfnIntegration ? [{ to, integration: part }] : []))
    })
    acknowledge(
      this.api,
      'AwsSolutions-APIG4',
      'keys and webhook signatures are checked over the raw bytes, in the function',
    )
  }
}
