import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { bundleFunctions, functionNames } from '../infra/bundle.ts'
import { functionEnvironment } from './environment.ts'

/**
 * Size of each function's bundle, and the time and the processor's time of a process that loads it and opens its clients
 * against one that loads nothing: medians of paired runs, as ratios. Usage: npm run bench:bundles [runs]
 */
const runs = Number(process.argv[2] ?? 15)
const scratch = mkdtempSync(join(tmpdir(), 'loadpath-bench-'))
const folder = await bundleFunctions(join(scratch, 'functions'))
const bare = join(scratch, 'bare.mjs')
writeFileSync(bare, 'export const handler = () => undefined\n')

const inside = `const { user, system } = process.cpuUsage(); process.stdout.write(String((user + system) / 1000))`

/** Milliseconds from start to end of a process that imports the module, and of processor until it has: of all threads. */
function time(module: string): { wall: number; processor: number } {
  const began = performance.now()
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', `await import('${module}'); ${inside}`],
    { env: functionEnvironment, encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`${module}: ${stderr}`)
  return { wall: performance.now() - began, processor: Number(stdout) }
}

const median = (values: number[]): number =>
  values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

console.log(
  `| function | bundle, KB | load, times a bare Node | processor, times a bare Node |\n|---|---|---|---|`,
)
const sdk = join(scratch, 'sdk.mjs')
await build({
  stdin: {
    contents: "import{DynamoDBClient}from'@aws-sdk/client-dynamodb';export const client=new DynamoDBClient()",
    resolveDir: import.meta.dirname,
  },
  outfile: sdk,
  bundle: true,
  minify: true,
  platform: 'node',
  format: 'esm',
  mainFields: ['module', 'main'],
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
})
const bundles = functionNames().map((name) => [name, join(folder, name, 'index.mjs')] as const)
for (const [name, bundle] of [...bundles, ['for comparison: the SDK’s DynamoDB client', sdk] as const]) {
  const pairs = Array.from({ length: runs }, () => ({ own: time(bundle), none: time(bare) }))
  const [wall, processor] = [
    median(pairs.map(({ own, none }) => own.wall / none.wall)),
    median(pairs.map(({ own, none }) => own.processor / none.processor)),
  ]
  const kilobytes = (statSync(bundle).size / 1000).toFixed(0)
  console.log(`| ${name} | ${kilobytes} | ${wall.toFixed(2)} | ${processor.toFixed(2)} |`)
}
rmSync(scratch, { recursive: true })
