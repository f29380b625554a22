import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { bundleFunctions } from './bundle.ts'
import { addStacks } from './stacks.ts'

/** The CDK app: `cdk deploy --all -c stage=…`. The parameters are in stages.ts and docs/deploy.md. */
const app = new App()
// of its own, so that several may synthesize at once; the CDK keeps a copy
const code = mkdtempSync(join(tmpdir(), 'loadpath-functions-'))
try {
  addStacks(app, await bundleFunctions(code))
  app.synth()
} finally {
  rmSync(code, { recursive: true })
}
