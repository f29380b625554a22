import { CfnQueue, Queue } from 'aws-cdk-lib/aws-sqs'
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions'
import { expect, test } from 'vitest'
import { findings } from './synthesize.ts'

const variants = {
  local: { stage: 'local' },
  test: { stage: 'test' },
  dev: { stage: 'dev' },
  prod: { stage: 'prod' },
  'dev, nothing kept and nothing set aside': { stage: 'dev', data: 'destroy', reserved: 'off' },
  'prod with everything': {
    stage: 'prod',
    cmk: 'on',
    xray: 'on',
    notify: 'operators@example.org',
    projects: '{"111122223333":"payments","444455556666":"web"}',
  },
}

test.each(Object.entries(variants))('no rule pack finds anything: %s', (_, context) => {
  expect(findings(context)).toBe('')
})

test('the gates are closed: each pack finds what is bad among the good', () => {
  const found = findings({ stage: 'local' }, (stack) => {
    new Queue(stack, 'bad-queue')
    new CfnQueue(stack, 'worse-queue', { delaySeconds: 5000 })
    new CfnStateMachine(stack, 'bad-machine', {
      roleArn: 'arn:aws:iam::000000000000:role/x',
      definitionString: JSON.stringify({ StartAt: 'A', States: { A: { Type: 'Pass', Next: 'B' } } }),
    })
  })
  for (const finding of [
    'AwsSolutions-SQS4',
    'Serverless-SQSRedrivePolicy',
    'pf-sfn-asl-missing-state',
    'CloudFormation Validate',
  ])
    expect(found).toContain(finding)
})
