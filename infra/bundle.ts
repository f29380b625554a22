import { readdirSync } from 'node:fs'
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

/**
 * Bundles every function into `<folder>/<name>/index.mjs` in one pass, and answers that folder. Nothing is left to the
 * runtime's own packages. CommonJS packages inside need a `require`.
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
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    legalComments: 'none',
    plugins: [englishOnly],
    logLevel: 'warning',
  })
  return folder
}
