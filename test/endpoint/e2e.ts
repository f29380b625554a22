import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import type { StageConfig } from '../../adapters/stage-config.ts'
import { apiAddress } from '../../local/address.ts'
import { firstKey, webhookSecret } from '../../local/credentials.ts'
import { deploy } from '../../local/deploy.ts'
import { clientsOf, mend } from '../../local/mends.ts'
import { resourcesOf } from '../../local/templates.ts'
import { ownEndpoint } from './own.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** the stage `test`, deployed to an endpoint of its own; for tests of the project e2e only */
    deployed: {
      /** base address of the HTTP API */
      api: string
      /** of an API key with the scope admin, in the project `main` */
      apiKey: string
      /** what GitHub webhooks of the project `main` are signed with */
      webhookSecret: string
      config: StageConfig
    }
  }
}

const stage = 'test'

export default async function setup(project: TestProject) {
  const { url: endpoint, stop } = await ownEndpoint()
  const assembly = mkdtempSync(join(tmpdir(), 'loadpath-assembly-'))
  const stopAll = async () => {
    await stop()
    rmSync(assembly, { recursive: true, force: true })
  }
  try {
    const config = await deploy({
      endpoint,
      stage,
      assembly,
      log: join(assembly, 'cdk.log'),
      say: (line) => console.log(`e2e: ${line}`),
      stop: new AbortController().signal,
    })
    await mend(resourcesOf(assembly), clientsOf(endpoint))
    const api = apiAddress(config, endpoint)
    const apiKey = await firstKey({ endpoint, stage, api, known: undefined })
    project.provide('endpoint', endpoint)
    project.provide('deployed', { api, apiKey, webhookSecret: await webhookSecret(endpoint, config), config })
  } catch (error) {
    await stopAll()
    throw error
  }
  return stopAll
}
