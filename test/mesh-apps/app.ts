import type { App, Stack } from 'aws-cdk-lib'
import * as lambda from 'aws-cdk-lib/aws-lambda'

/**
 * A small app of the shape that somebody's documentation describes: none of ours, with its weaknesses. `rates` are made up:
 * what the notation of docs/mesh.md takes.
 */
export type Sample = { build: (app: App) => void; rates: object }

/** A function as such examples have it: nothing said but what is given. */
export const code = (stack: Stack, id: string, given: Partial<lambda.FunctionProps> = {}): lambda.Function =>
  new lambda.Function(stack, id, {
    runtime: lambda.Runtime.NODEJS_22_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async () => {}'),
    ...given,
  })
