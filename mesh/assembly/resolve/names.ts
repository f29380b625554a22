import { at, textOf } from '../json.ts'
import type { Resource, World } from './scope.ts'
import { leading, pseudo, reference } from './tokens.ts'

type Naming = {
  /** in ARNs */
  service: string
  /** what stands before the name in the ARN's last part */
  prefix: string
  /** the property that gives the name */
  name: string
  /** what Ref answers */
  ref: 'arn' | 'name' | 'url' | 'id'
}

const naming: Readonly<Record<string, Naming>> = {
  'AWS::SQS::Queue': { service: 'sqs', prefix: '', name: 'QueueName', ref: 'url' },
  'AWS::SNS::Topic': { service: 'sns', prefix: '', name: 'TopicName', ref: 'arn' },
  'AWS::Lambda::Function': { service: 'lambda', prefix: 'function:', name: 'FunctionName', ref: 'name' },
  // the ARN of the function with a qualifier behind it
  'AWS::Lambda::Alias': { service: 'lambda', prefix: 'function:', name: '', ref: 'arn' },
  'AWS::Lambda::Version': { service: 'lambda', prefix: 'function:', name: '', ref: 'arn' },
  'AWS::StepFunctions::StateMachine': {
    service: 'states',
    prefix: 'stateMachine:',
    name: 'StateMachineName',
    ref: 'arn',
  },
  'AWS::DynamoDB::Table': { service: 'dynamodb', prefix: 'table/', name: 'TableName', ref: 'name' },
  'AWS::DynamoDB::GlobalTable': { service: 'dynamodb', prefix: 'table/', name: 'TableName', ref: 'name' },
  'AWS::Events::EventBus': { service: 'events', prefix: 'event-bus/', name: 'Name', ref: 'name' },
  'AWS::S3::Bucket': { service: 's3', prefix: '', name: 'BucketName', ref: 'name' },
  'AWS::Kinesis::Stream': { service: 'kinesis', prefix: 'stream/', name: 'Name', ref: 'name' },
  'AWS::ECS::Service': { service: 'ecs', prefix: 'service/', name: 'ServiceName', ref: 'arn' },
  'AWS::ECS::TaskDefinition': { service: 'ecs', prefix: 'task-definition/', name: 'Family', ref: 'arn' },
  'AWS::Pipes::Pipe': { service: 'pipes', prefix: 'pipe/', name: 'Name', ref: 'name' },
  'AWS::ApiGatewayV2::Api': { service: 'execute-api', prefix: '', name: 'Name', ref: 'id' },
  'AWS::ApiGateway::RestApi': { service: 'execute-api', prefix: '', name: 'Name', ref: 'id' },
}

/** The service and the prefix under which resources of a type are called by name in ARNs. */
export const namingOf = (type: string): Naming | undefined => naming[type]

/** The raw property that names a resource, if the template does. */
export const nameProperty = ({ type, properties }: Resource) => {
  const property = naming[type]?.name
  return property === undefined ? undefined : at(properties, property)
}

/**
 * A text that is one reference to an ARN or a queue's address, as CloudFormation would write it, so that it may be split;
 * the name in it stays a reference.
 */
export function expanded(text: string, world: World): string {
  const found = leading(text)
  const resource = world.resources.get(found?.key ?? '')
  const how = resource && naming[resource.type]
  if (found === undefined || resource === undefined || how === undefined) return text
  const name = textOf(nameProperty(resource)) ?? reference(found.key, 'Name')
  const region = resource.stack.region ?? pseudo('Region')
  const account = resource.stack.account ?? pseudo('AccountId')
  const isArn = /Arn$/.test(found.attribute) || (found.attribute === 'Ref' && how.ref === 'arn')
  if (isArn)
    return `arn:aws:${how.service}:${how.service === 's3' ? ':' : `${region}:${account}`}:${how.prefix}${name}${found.rest}`
  if (how.ref === 'url' && (found.attribute === 'Ref' || found.attribute === 'QueueUrl'))
    return `https://sqs.${region}.amazonaws.com/${account}/${name}${found.rest}`
  return text
}
