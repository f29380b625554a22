import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { endpointEnvironment, Trouble } from './endpoint.ts'
import { root } from './places.ts'

/** Runs this clone's command line against a stage on a local endpoint and answers what it writes. @throws Trouble */
export function loadpath(args: readonly string[], endpoint: string, stage: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'cli', 'main.ts'), ...args], {
    encoding: 'utf8',
    env: { ...endpointEnvironment(endpoint), LOADPATH_STAGE: stage },
    maxBuffer: 10_000_000,
  })
  if (status !== 0) throw new Trouble(`loadpath ${args.join(' ')} failed: ${stderr || stdout}`)
  return stdout.trimEnd()
}
