import type { Context, SQSEvent } from 'aws-lambda'
import { vi } from 'vitest'
import { orderedIn } from '../events/route.ts'
import { routes as ours } from '../events/routes.ts'
import { testRoutes, world } from './world.ts'

/**
 * Functions on ports in memory. They are composed when they are imported, so a test file has one world, and takes it by
 * `vi.mock('<…>/adapters/lambda/ports.ts', async () => (await import('<…>/test/lambdas.ts')).ports)`.
 */
export const here = world({ routes: [...ours, ...testRoutes] })

/** What is asked of AWS past the ports. */
export const asked: { operation: string; input: object }[] = []
export const aws = {
  call: vi.fn(async (_: string, operation: string, input: object) => {
    asked.push({ operation, input })
    return {}
  }),
}

export const ports = {
  aws,
  queueOptions: () => ({ aws, prefix: 'https://sqs/loadpath-test-', ordered: orderedIn(here.deps.routes) }),
  clock: here.clock,
  recordPorts: () => here.deps,
  consumePorts: () => here.deps,
  plainMemoryPort: () => here.deps.memory,
  workflowsPort: () => here.deps.workflows,
}

/** To be set before a handler is imported. */
export const setEnvironment = (given: Record<string, string> = {}): void => {
  const settings = {
    STAGE: 'test',
    QUEUE_PREFIX: 'https://sqs/loadpath-test-',
    ACCOUNT_PROJECTS: '{}',
    ...given,
  }
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value)
}

export const context = {
  functionName: 'fn',
  functionVersion: '$LATEST',
  awsRequestId: 'request-1',
  getRemainingTimeInMillis: () => 10_000,
} as Context

/** What Lambda hands over of a queue; message ids are m0, m1, … */
export const received = (queue: string, bodies: readonly string[], receiveCount = 1): SQSEvent =>
  ({
    Records: bodies.map((body, index) => ({
      messageId: `m${index}`,
      receiptHandle: `handle-${index}`,
      body,
      attributes: {
        ApproximateReceiveCount: String(receiveCount),
        SentTimestamp: String(Date.parse(here.clock())),
      },
      messageAttributes: {},
      eventSourceARN: `arn:aws:sqs:us-east-1:123456789012:loadpath-test-${queue}`,
    })),
  }) as never

/** The lines that are written while it runs, parsed and as they are. */
export async function lines<Answer>(run: () => Promise<Answer>) {
  const spies = (['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name).mockReturnValue())
  try {
    const answer = await run()
    const text = spies.flatMap((spy) => spy.mock.calls.map(([line]) => String(line)))
    return { answer, text: text.join('\n'), lines: text.map((line) => JSON.parse(line)) }
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
