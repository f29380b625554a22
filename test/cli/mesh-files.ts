import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** A folder that goes with the tests of the file, with a template in it: a queue and the function that takes from it, ten at once. */
export function meshFiles() {
  const folder = mkdtempSync(join(tmpdir(), 'loadpath-mesh-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = (name: string, content: unknown): string => {
    const path = join(folder, name)
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
  }
  const template = file('template.json', {
    Resources: {
      Orders: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 30 } },
      Worker: { Type: 'AWS::Lambda::Function', Properties: { Timeout: 10 } },
      Poll: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          EventSourceArn: { 'Fn::GetAtt': ['Orders', 'Arn'] },
          FunctionName: { Ref: 'Worker' },
          ScalingConfig: { MaximumConcurrency: 10 },
        },
      },
    },
  })
  return { folder, file, template }
}
