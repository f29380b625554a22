import { expect, test } from 'vitest'
import { progress } from './deploy.ts'

test.each([
  ['✨  Synthesis time: 6.43s', '  synthesized in 6.4 s'],
  ['Loadpath-local-App: deploying... [2/2]', '  Loadpath-local-App: deploying …'],
  [' ✅  Loadpath-local-App', '  Loadpath-local-App: deployed'],
  [' ✅  Loadpath-local-App (no changes)', '  Loadpath-local-App: unchanged'],
  ['✅  Environment aws://000000000000/us-east-1 bootstrapped.', undefined],
  ['Loadpath-local-App | 1/9 | 3:01:55 PM | CREATE_COMPLETE | AWS::SQS::Queue | Q6', undefined],
  ['', undefined],
])('%j is told as %j', (line, told) => {
  expect(progress(line)).toBe(told)
})
