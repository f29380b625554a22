import { at, type Json } from '../json.ts'

/*
 * What carries no messages and limits none. Stages, routes, aliases, policies, task definitions and their like are read
 * where the resource is that they belong to.
 */

/** All of these services. */
const services =
  'ApplicationAutoScaling ApplicationInsights ApplicationSignals Backup Budgets CDK CertificateManager Chatbot CloudTrail CloudWatch CodeBuild CodeDeploy CodePipeline Cognito Config EC2 ECR EFS GuardDuty IAM KMS Logs Oam RAM ResourceGroups Route53 SSM SecretsManager ServiceCatalogAppRegistry ServiceDiscovery Synthetics WAFv2 XRay'

/** Of a service some. `Custom` has what the CDK makes for itself: its functions run when somebody deploys. */
const types: Readonly<Record<string, string>> = {
  'AWS::ApiGateway':
    'Account ApiKey Authorizer BasePathMapping ClientCertificate Deployment DomainName GatewayResponse Model RequestValidator Resource Stage UsagePlan UsagePlanKey VpcLink',
  'AWS::ApiGatewayV2':
    'ApiMapping Authorizer Deployment DomainName IntegrationResponse Model Route RouteResponse Stage VpcLink',
  'AWS::CloudFormation': 'CustomResource Macro Stack WaitCondition WaitConditionHandle',
  'AWS::ECS': 'CapacityProvider Cluster ClusterCapacityProviderAssociations PrimaryTaskSet',
  'AWS::ElasticLoadBalancingV2': 'ListenerCertificate TargetGroup TrustStore',
  'AWS::EventSchemas': 'Discoverer Registry RegistryPolicy Schema',
  'AWS::Events': 'Archive Connection EventBusPolicy',
  'AWS::Kinesis': 'ResourcePolicy StreamConsumer',
  'AWS::Lambda': 'Alias CodeSigningConfig LayerVersion LayerVersionPermission Permission Version',
  'AWS::S3': 'AccessPoint BucketPolicy StorageLens',
  'AWS::SNS': 'TopicInlinePolicy TopicPolicy',
  'AWS::SQS': 'QueueInlinePolicy QueuePolicy',
  'AWS::Scheduler': 'ScheduleGroup',
  'AWS::StepFunctions': 'Activity StateMachineAlias StateMachineVersion',
  Custom:
    'AWS AWSCDK-EKS-Cluster AWSCDKCfnJson AWSCDKOpenIdConnectProvider CDKBucketDeployment CloudwatchLogResourcePolicy CrossAccountZoneDelegation CrossRegionExportReader CrossRegionExportWriter DynamoDBReplica ECRAutoDeleteImages LogRetention S3AutoDeleteObjects UserPoolCloudFrontDomainName VpcRestrictDefaultSG',
}

const whole = new Set(services.split(' ').map((service) => `AWS::${service}`))
const some = new Set(
  Object.entries(types).flatMap(([service, names]) => names.split(' ').map((name) => `${service}::${name}`)),
)

/** What of these calls or feeds something where it says so: the member that does. What comes by it is in no number. */
const calling: Readonly<Record<string, string>> = {
  'AWS::ApiGateway::Authorizer': 'AuthorizerUri',
  'AWS::ApiGatewayV2::Authorizer': 'AuthorizerUri',
  'AWS::Cognito::UserPool': 'LambdaConfig',
  'AWS::Logs::SubscriptionFilter': 'DestinationArn',
  'AWS::SecretsManager::RotationSchedule': 'RotationLambdaARN',
}

export function isIgnored(type: string, properties: Json = {}): boolean {
  const member = calling[type]
  if (member !== undefined && at(properties, member) !== undefined) return false
  return some.has(type) || whole.has(type.split('::').slice(0, 2).join('::'))
}
