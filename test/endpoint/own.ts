import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEndpoint, stopEndpoint } from '../../local/endpoint.ts'
import { freePort } from '../../local/port.ts'

/** An endpoint for one run of tests: empty at its start, forgotten at its end. */
export async function ownEndpoint() {
  const given = process.env.LOADPATH_TEST_ENDPOINT
  if (given) return { url: given, stop: async () => undefined }
  const directory = mkdtempSync(join(tmpdir(), 'loadpath-test-'))
  const log = join(directory, 'endpoint.log')
  const endpoint = await startEndpoint({ port: await freePort(), directory, keep: false, log })
  return {
    url: endpoint.url,
    stop: async () => {
      await stopEndpoint(endpoint.mark)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
