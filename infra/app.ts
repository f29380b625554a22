import { App } from 'aws-cdk-lib'
import { bundleFunctions } from './bundle.ts'
import { addStacks } from './stacks.ts'

/** The CDK app: `cdk deploy --all -c stage=…`. The parameters are in stages.ts and docs/deploy.md. */
const app = new App()
addStacks(app, await bundleFunctions())
app.synth()
