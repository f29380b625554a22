import { Failure } from '../../core/errors.ts'
import type { Stacks } from '../../core/ports.ts'
import { type Aws, AwsError } from './clients.ts'

/** Stacks of CloudFormation, which speaks XML and puts a template into it as text. */
export const cloudFormation = ({ aws }: { aws: Aws }): Stacks => ({
  async template(stack) {
    const answer = await read(aws, stack)
    if (answer === undefined) return undefined
    const body = /<TemplateBody>([\s\S]*)<\/TemplateBody>/.exec(answer)?.[1]
    if (body === undefined)
      throw new Failure('Unavailable', `CloudFormation answered no template of ${stack}`)
    try {
      return JSON.parse(plain(body))
    } catch {
      throw new Failure('Invalid', `the template of ${stack} is no JSON: deploy it as JSON, as the CDK does`)
    }
  },
})

async function read(aws: Aws, stack: string): Promise<string | undefined> {
  try {
    return await aws.form('cloudformation', {
      Action: 'GetTemplate',
      Version: '2010-05-15',
      StackName: stack,
      TemplateStage: 'Processed',
    })
  } catch (error) {
    // it has no code of its own for that
    const isGone =
      error instanceof AwsError && error.code === 'ValidationError' && / does not exist/.test(error.message)
    if (isGone) return undefined
    throw error
  }
}

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }

/** XML text as it was before it was put there: each reference once. */
const plain = (text: string): string =>
  text.replaceAll(
    /&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi,
    (reference, hex?: string, digits?: string, name = '') => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16))
      if (digits !== undefined) return String.fromCodePoint(Number(digits))
      return named[name] ?? reference
    },
  )
