import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { functionNames, functionsFolder } from '../../infra/bundle.ts'

/** A call of a port's method, or of one of the functions that stand for a port, and the module that it stands in. */
export type Call = { module: string; port: string; method: string }

/** What is behind the ports is the table's matter (permissions.unit.test.ts): it does not change from call to call. */
const portsOutside: Plugin = {
  name: 'ports-outside',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/aws\/[a-z-]+\.ts$/ }, ({ path }) => ({ path, external: true })),
}

const calls = /\b(history|lanes|memory|ephemeral|queues|bodies|workflows|stacks)\d*\.(\w+)\(/g
const functions = /\b(topicPublisher|busPublisher|metricTimes|secretReader|setVisibility)\(/g

/**
 * The calls that each function can come to, read off its bundle: what it does not use has been shaken out of that. It
 * goes by the names of the ports, which are the same everywhere.
 */
export async function callsOfFunctions(): Promise<Map<string, Call[]>> {
  const { outputFiles } = await build({
    entryPoints: Object.fromEntries(
      functionNames().map((name) => [name, join(functionsFolder, name, 'handler.ts')]),
    ),
    absWorkingDir: join(functionsFolder, '..'),
    outdir: 'nowhere',
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    plugins: [portsOutside],
  })
  return new Map(functionNames().map((name, index) => [name, callsIn(outputFiles[index]?.text ?? '')]))
}

/** esbuild writes the module's path above its code. */
function callsIn(bundle: string): Call[] {
  const found = new Map<string, Call>()
  let module = ''
  for (const line of bundle.split('\n')) {
    module = /^\/\/ (\S+\.ts)$/.exec(line)?.[1] ?? module
    const called = [
      ...[...line.matchAll(calls)].map(([, port = '', method = '']) => ({ module, port, method })),
      ...[...line.matchAll(functions)].map(([, method = '']) => ({ module, port: '', method })),
    ]
    for (const call of called) found.set(JSON.stringify(call), call)
  }
  return [...found.values()]
}
