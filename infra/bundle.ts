import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build, type Plugin } from 'esbuild'

export const functionsFolder = join(import.meta.dirname, '..', 'functions')
export const machinesFolder = join(import.meta.dirname, '..', 'statemachines')

/** The functions there are, by their folders. */
export const functionNames = (): string[] =>
  readdirSync(functionsFolder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()

/** zod's messages in fifty languages are half of a bundle, and we speak one. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
      contents: "export { default as en } from './en.js'",
      resolveDir: dirname(path),
    })),
}

const wholeZod = 'import { z } from "zod";'

/** It takes all of zod to give each schema a method more; the class is enough, and the rest is shaken out. */
const lessZod: Plugin = {
  name: 'less-zod',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]@hono[\\/]zod-openapi[\\/]dist[\\/]index\.mjs$/ }, ({ path }) => {
      const code = readFileSync(path, 'utf8')
      if (!code.includes(wholeZod)) throw new Error(`${path} takes zod in another way now: look at less-zod`)
      const contents = code.replace(wholeZod, 'import { ZodType } from "zod"; const z = { ZodType };')
      return { contents, resolveDir: dirname(path) }
    }),
}

const jsonSchemas = /^\s*inst\._zod\.processJSONSchema = .*;$/gm

/** Every schema brings along how it is written down as JSON Schema; no function does that. */
const noJsonSchemas: Plugin = {
  name: 'no-json-schemas',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]zod[\\/]v4[\\/]classic[\\/]schemas\.js$/ }, ({ path }) => {
      const code = readFileSync(path, 'utf8')
      const contents = code.replace(jsonSchemas, '')
      if (contents === code)
        throw new Error(`${path} makes JSON Schema in another way now: look at no-json-schemas`)
      return { contents, resolveDir: dirname(path) }
    }),
}

/**
 * An import of a module of Node's own reads each of its exports, and reading some loads whole parts of Node:
 * `http.WebSocket` all of fetch, `util.setTraceSigInt` the worker threads. Here those that nobody uses are shaken out.
 */
const onlyWhatIsUsed: Plugin = {
  name: 'only-what-is-used',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'node', sideEffects: false }))
    onLoad({ filter: /./, namespace: 'node' }, ({ path }) => {
      const names = Object.keys(process.getBuiltinModule(path) ?? {})
      const exported = names.map((name) => `export const ${name} = /* @__PURE__ */ (() => all.${name})()`)
      return {
        contents: [
          `const all = /* @__PURE__ */ process.getBuiltinModule('${path}')`,
          'export default all',
          ...exported,
        ].join('\n'),
      }
    })
  },
}

/**
 * Bundles every function into `<folder>/<name>/index.mjs` in one pass, and answers that folder. Nothing is left to the
 * runtime's own packages.
 */
export async function bundleFunctions(folder: string): Promise<string> {
  await build({
    entryPoints: Object.fromEntries(
      functionNames().map((name) => [`${name}/index`, join(functionsFolder, name, 'handler.ts')]),
    ),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    legalComments: 'none',
    plugins: [englishOnly, lessZod, noJsonSchemas, onlyWhatIsUsed],
    logLevel: 'warning',
  })
  return folder
}
