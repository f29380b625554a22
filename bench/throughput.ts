import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import { bundleFunctions } from '../infra/bundle.ts'
import { functionEnvironment } from './environment.ts'

/**
 * Events of 1 KB that `record` records and routes per second and vCPU, beside a function that only writes and sends:
 * both against DynamoDB and SQS that answer at once, over HTTP, in another process. Medians of paired runs.
 * Usage: npm run bench:throughput [runs] [seconds]
 */
const runs = Number(process.argv[2] ?? 5)
const seconds = process.argv[3] ?? '5'
const here = import.meta.dirname
const scratch = mkdtempSync(join(tmpdir(), 'loadpath-bench-'))
const functions = await bundleFunctions(join(scratch, 'functions'))
const stub = spawn(process.execPath, [join(here, 'throughput', 'stub.ts')])
const [address] = await once(stub.stdout, 'data')
const url = String(address).trim()

const env = {
  ...functionEnvironment,
  AWS_ENDPOINT_URL: url,
  QUEUE_PREFIX: `${url}/000000000000/loadpath-bench-`,
}
const measured = z.object({ events: z.number(), cpuMs: z.number(), wallMs: z.number() })

/** Events per second of processor time. */
function rate(module: string, batch: number): number {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(here, 'throughput', 'drive.ts'), module, String(batch), seconds],
    { env, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`${module}: ${stderr}`)
  const { events, cpuMs } = measured.parse(JSON.parse(stdout.trim()))
  return events / (cpuMs / 1000)
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

try {
  console.log('| batch | record, events/s and vCPU | bare writer | record / bare |\n|---|---|---|---|')
  for (const batch of [10, 100]) {
    const pairs = Array.from({ length: runs }, () => ({
      record: rate(join(functions, 'record', 'index.mjs'), batch),
      bare: rate(join(here, 'throughput', 'bare-writer.ts'), batch),
    }))
    const [record, bare] = [median(pairs.map((pair) => pair.record)), median(pairs.map((pair) => pair.bare))]
    const ratio = median(pairs.map((pair) => pair.record / pair.bare))
    console.log(`| ${batch} | ${record.toFixed(0)} | ${bare.toFixed(0)} | ${ratio.toFixed(2)} |`)
  }
} finally {
  stub.kill()
  rmSync(scratch, { recursive: true })
}
