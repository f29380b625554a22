import type { TestProject } from 'vitest/node'
import { ownEndpoint } from './own.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** address of the AWS endpoint; clients take it from AWS_ENDPOINT_URL too */
    endpoint: string
  }
}

export default async function setup(project: TestProject) {
  const { url, stop } = await ownEndpoint()
  project.provide('endpoint', url)
  return stop
}
