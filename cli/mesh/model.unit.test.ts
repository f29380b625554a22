import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { meshFiles } from '../../test/cli/mesh-files.ts'
import { loadpath } from '../../test/cli/terminal.ts'

const { folder, file, template } = meshFiles()
describe('the model in a text', () => {
  it('has elements with who says so, and limits with their numbers', async () => {
    const { out } = await loadpath(['mesh', 'model', '--app', template])
    expect(out).toMatch(/^queue +Orders +template\/Orders +120000 at once or waits \(sqs-in-flight\)/m)
    expect(out).toMatch(/^poll +Orders → Worker +any type +template +10 at once or waits \(template\)/m)
  })

  it('says how many elements it leaves out', async () => {
    const queues = Array.from({ length: 70 }, (_, index): [string, object] => [
      `Queue${index}`,
      {
        Type: 'AWS::SQS::Queue',
        Properties: {
          RedrivePolicy: { maxReceiveCount: 3, deadLetterTargetArn: { 'Fn::GetAtt': ['D', 'Arn'] } },
        },
      },
    ])
    const many = file('letters.json', {
      Resources: { D: { Type: 'AWS::SQS::Queue' }, ...Object.fromEntries(queues) },
    })
    expect((await loadpath(['mesh', 'model', '--app', many])).out).toContain('and 10 more elements')
  })

  it('of a file of rates has what it says is sent', async () => {
    const sent = file(
      'sent.yaml',
      'version: 1\nsends: [{ from: Worker, to: Orders, type: again, ratio: 0.1 }]\n',
    )
    const { out } = await loadpath(['mesh', 'model', '--app', template, '--rates', sent])
    expect(out).toMatch(/^call +Worker → Orders +again, 0\.1 for each +declared/m)
  })
})

it('of a way of the template whose share a file of rates says, the text has that', async () => {
  const fan = file('fan.json', {
    Resources: {
      T: { Type: 'AWS::SNS::Topic' },
      Q: { Type: 'AWS::SQS::Queue' },
      S: {
        Type: 'AWS::SNS::Subscription',
        Properties: {
          ...{ TopicArn: { Ref: 'T' }, Protocol: 'sqs', Endpoint: { 'Fn::GetAtt': ['Q', 'Arn'] } },
        },
      },
    },
  })
  const text = async (...words: string[]) => (await loadpath(['mesh', 'model', '--app', fan, ...words])).out
  expect(await text()).toMatch(/^delivery +T → Q +any type +template +/m)
  const shared = file(
    'shared.yaml',
    'version: 1\nsends: [{ from: T, to: Q, type: order.placed, ratio: 0.15 }]\n',
  )
  expect(await text('--rates', shared)).toMatch(
    /^delivery +T → Q +order\.placed, 0\.15 for each +template, declared /m,
  )
})

describe('stages of one assembly', () => {
  const stages = join(folder, 'stages')
  const stackOf = (name: string) => ({
    version: '36.0.0',
    artifacts: {
      [`${name}Shop`]: {
        type: 'aws:cloudformation:stack',
        displayName: `${name}/Shop`,
        properties: { templateFile: 'shop.json', stackName: `${name}-Shop` },
      },
    },
  })
  const inner = (name: string) => ({
    type: 'cdk:cloud-assembly',
    properties: { directoryName: `assembly-${name}` },
  })
  for (const name of ['Dev', 'Prod']) {
    mkdirSync(join(stages, `assembly-${name}`), { recursive: true })
    file(`stages/assembly-${name}/manifest.json`, stackOf(name))
    file(`stages/assembly-${name}/shop.json`, {
      Resources: {
        Orders: { Type: 'AWS::SQS::Queue', Metadata: { 'aws:cdk:path': `${name}/Shop/Orders/Resource` } },
      },
    })
  }
  file('stages/manifest.json', {
    version: '36.0.0',
    artifacts: { 'assembly-Dev': inner('Dev'), 'assembly-Prod': inner('Prod') },
  })

  it('are analysed together, which is said with how to choose', async () => {
    const { out, err } = await loadpath(['mesh', 'model', '--app', stages])
    expect(out).toMatch(/Dev\/Shop\/Orders[\s\S]+Prod\/Shop\/Orders/)
    expect(err).toContain(
      `has 2 stages, which are analysed together. For one of them: --app ${join(stages, 'assembly-Dev')} or --app ${join(stages, 'assembly-Prod')}`,
    )
    expect((await loadpath(['mesh', 'model', '--app', join(stages, 'assembly-Prod')])).err).toBe('')
  })

  it('have rates by one name, whether together or alone', async () => {
    const known = file('stages.yaml', 'version: 1\narrivals: { Prod/Shop/Orders: { order.placed: 3/s } }\n')
    for (const at of [stages, join(stages, 'assembly-Prod')]) {
      const { out } = await loadpath(['mesh', 'static', '--app', at, '--rates', known, '--json'])
      expect(JSON.parse(out).rates).toContainEqual(
        expect.objectContaining({ type: 'order.placed', rate: 3, node: 'Prod-Shop/Orders' }),
      )
    }
  })
})
