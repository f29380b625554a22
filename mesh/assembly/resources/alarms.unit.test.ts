import { expect, it } from 'vitest'
import { arnOf, meshIn, queue } from '../../../test/mesh-in-template.ts'
import { load } from '../../load.ts'

const alarm = (properties: object) => ({
  Type: 'AWS::CloudWatch::Alarm',
  Properties: { AlarmActions: [{ Ref: 'Told' }], ...properties },
})
const metric = (MetricName: string, Name: string, Value: unknown) => ({
  Namespace: 'x',
  MetricName,
  Dimensions: [{ Name, Value }],
})

it('alarms watch what their dimensions name, in maths too', () => {
  const mesh = meshIn({
    Q: queue,
    F: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'f' } },
    M: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { DefinitionString: '{"StartAt":"P","States":{}}' },
    },
    A: alarm(metric('Age', 'QueueName', { 'Fn::GetAtt': ['Q', 'QueueName'] })),
    B: alarm({
      Metrics: [
        { Id: 'e', Expression: 'a+b' },
        { Id: 'a', MetricStat: { Metric: metric('Errors', 'FunctionName', 'f') } },
        { Id: 'b', MetricStat: { Metric: metric('Throttles', 'FunctionName', { Ref: 'F' }) } },
      ],
    }),
    C: alarm(metric('ExecutionsFailed', 'StateMachineArn', { Ref: 'M' })),
    D: alarm(metric('Age', 'QueueName', 'elsewhere')),
    N: alarm({ ...metric('Nobody', 'QueueName', { 'Fn::GetAtt': ['Q', 'QueueName'] }), AlarmActions: [] }),
    S: alarm({
      ...metric('Delay', 'QueueName', { 'Fn::GetAtt': ['Q', 'QueueName'] }),
      ActionsEnabled: false,
    }),
    E: alarm({ Metrics: [{ Id: 'e', Expression: 'SELECT MAX(X) FROM Y' }] }),
  })
  expect(mesh.watched).toEqual({
    's/F': ['Errors', 'Throttles'],
    's/M': ['ExecutionsFailed'],
    's/Q': ['Age'],
  })
  expect(mesh.nodes).toHaveLength(3)
})

it('a topic that alarms tell is no door of events, and one that nobody fills is', () => {
  const mesh = meshIn({
    ...{ T: { Type: 'AWS::SNS::Topic' }, U: { Type: 'AWS::SNS::Topic' }, Q: queue },
    A: alarm({
      ...metric('Age', 'QueueName', { 'Fn::GetAtt': ['Q', 'QueueName'] }),
      AlarmActions: [{ Ref: 'T' }],
    }),
  })
  expect(mesh.told).toEqual(['s/T'])
  expect(load(mesh).states.map(({ node: { id } }) => id)).toEqual(['s/Q', 's/U'])
})

const silent = alarm({
  ...metric('Age', 'QueueName', { 'Fn::GetAtt': ['Q', 'QueueName'] }),
  ...{ AlarmName: 'old', AlarmActions: [] },
})
const composite = (AlarmRule: unknown, AlarmActions: unknown[]) => ({
  Type: 'AWS::CloudWatch::CompositeAlarm',
  Properties: { AlarmRule, AlarmActions },
})
it.each<[string, object, boolean]>([
  ['nothing', {}, false],
  [
    'one that is made of it',
    { C: composite({ 'Fn::Join': ['', ['ALARM("', arnOf('A'), '")']] }, [{ Ref: 'Told' }]) },
    true,
  ],
  ['one that names it', { C: composite('ALARM("old") OR ALARM("other")', [{ Ref: 'Told' }]) }, true],
  ['one of others', { C: composite('ALARM("older")', [{ Ref: 'Told' }]) }, false],
  ['one that tells nobody either', { C: composite('ALARM("old")', []) }, false],
  [
    'a rule for the changes of alarms',
    {
      R: {
        Type: 'AWS::Events::Rule',
        Properties: { EventPattern: { source: ['aws.cloudwatch'] }, Targets: [{ Arn: 'arn:aws:sns:::t' }] },
      },
    },
    true,
  ],
])('an alarm without actions tells by %s', (_, more, told) => {
  expect(meshIn({ Q: queue, A: silent, ...more }).watched).toEqual(told ? { 's/Q': ['Age'] } : {})
})
