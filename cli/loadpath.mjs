#!/usr/bin/env node
// The command `loadpath`, whatever Node runs it: the sources run as they are, on the Node that the package `node`
// brings, because older ones cannot read TypeScript.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const main = at('./main.ts')
const node = at('../node_modules/.bin/node')

if (!existsSync(node)) {
  process.stderr.write(
    'loadpath: the packages are not installed. Run: npm start, or node local/prepare.mjs\n',
  )
  process.exitCode = 1
} else {
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  // a terminal sends Ctrl-C to both: the command decides what it means, and this process waits for it
  process.on('SIGINT', () => undefined)
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.once('error', (error) => {
    process.stderr.write(`loadpath: ${node}: ${error.message}\n`)
    process.exitCode = 1
  })
  child.once('exit', (code, signal) => {
    if (signal === null) process.exitCode = code
    else {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    }
  })
}
