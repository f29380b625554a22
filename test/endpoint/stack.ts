import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Creates a stack with CloudFormation as it is on the endpoint, without the CDK: what it makes of a template can be
 * looked at in a second. Throws where it does not come to stand.
 */
export const createStack = (endpoint: string, name: string, template: object): Promise<void> =>
  deployed(endpoint, 'Create', name, template)

/** The same of a stack that stands, with its parameters as they are. */
export const updateStack = (endpoint: string, name: string, template: object): Promise<void> =>
  deployed(endpoint, 'Update', name, template)

async function deployed(endpoint: string, how: 'Create' | 'Update', name: string, template: object) {
  await call(endpoint, { Action: `${how}Stack`, StackName: name, TemplateBody: JSON.stringify(template) })
  for (const deadline = Date.now() + 30_000; ; await sleep(100)) {
    const answer = await call(endpoint, { Action: 'DescribeStacks', StackName: name })
    const status = /<StackStatus>(\w+)</.exec(answer)?.[1]
    if (status === `${how.toUpperCase()}_COMPLETE`) return
    if (status !== `${how.toUpperCase()}_IN_PROGRESS` || Date.now() > deadline)
      throw new Error(`stack ${name}: ${answer}`)
  }
}

/** What it created is gone some moments later. */
export async function deleteStack(endpoint: string, name: string): Promise<void> {
  await call(endpoint, { Action: 'DeleteStack', StackName: name })
}

async function call(endpoint: string, fields: Record<string, string>): Promise<string> {
  // an endpoint knows the service by the scope of the signature, and does not check the signature itself
  const scope = 'test/20260101/us-east-1/cloudformation/aws4_request'
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0` },
    body: new URLSearchParams({ Version: '2010-05-15', ...fields }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${fields.Action}: ${response.status} ${text}`)
  return text
}
