import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Stacks } from '../../core/ports.ts'

/** What every Stacks promises. */
export function stacksContract(
  make: () => { stacks: Stacks; deploy(stack: string, template: object): Promise<void> },
): void {
  const topic = (description: string) => ({
    Description: description,
    Resources: { Topic: { Type: 'AWS::SNS::Topic', Metadata: { 'aws:cdk:path': 'a/b/Resource' } } },
  })

  test('a template comes back as it was deployed, whatever stands in it', async () => {
    const { stacks, deploy } = make()
    const stack = `stack-${randomUUID()}`
    const template = topic(`<a href="x">&amp; &#60; ü 🦊 'and' \\"so on\\"</a>`)
    await deploy(stack, template)
    expect(await stacks.template(stack)).toEqual(template)
  })

  test('one of hundreds of kilobytes too', async () => {
    const { stacks, deploy } = make()
    const stack = `stack-${randomUUID()}`
    const template = {
      ...topic('large'),
      Mappings: Object.fromEntries(
        Array.from({ length: 90 }, (_, n) => [`Map${n}`, { Key: { Value: '"&<'.repeat(900) } }]),
      ),
    }
    expect(JSON.stringify(template).length).toBeGreaterThan(250_000)
    await deploy(stack, template)
    expect(await stacks.template(stack)).toEqual(template)
  })

  test('what is not deployed has none', async () => {
    const { stacks } = make()
    expect(await stacks.template(`stack-${randomUUID()}`)).toBeUndefined()
  })
}
