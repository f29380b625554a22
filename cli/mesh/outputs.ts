import { realpathSync, type Stats, statSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { UsageError } from '../faults.ts'
import { type AppOptions, appFolders, ratesIn } from './app.ts'

export type Outputs = { html?: string | undefined; markdown?: string | undefined }

/** Refuses to write over what is read, and to write twice to one file. */
export function refuseOverwriting(
  { html, markdown }: Outputs,
  { before, ...options }: AppOptions & { before?: string | undefined },
): void {
  const inputs = [
    { option: '--rates', file: ratesIn(options) },
    { option: '--before', file: before },
    ...appFolders(options).map((file) => ({ option: '--app', file })),
  ].flatMap(({ option, file }) => (file === undefined ? [] : [{ option, path: realPath(file) }]))
  const written = new Map<string, string>()
  for (const [option, file] of Object.entries({ '--html': html, '--markdown': markdown })) {
    // a device, such as /dev/null, keeps nothing that could be lost
    if (file === undefined || isDevice(file)) continue
    const path = realPath(file)
    const input = inputs.find((one) => one.path === path || (one.option === '--app' && holds(one.path, path)))
    if (input !== undefined)
      throw new UsageError(`${option}: ${file} is read by ${input.option}: write to another file`)
    const other = written.get(path)
    if (other !== undefined)
      throw new UsageError(`${option}: ${file} is that of ${other} too: give each its own`)
    written.set(path, option)
  }
}

/** The files of an assembly are JSON; what else somebody keeps beside them is not read. */
function holds(folder: string, path: string): boolean {
  const inside = relative(folder, path)
  return !inside.startsWith('..') && extname(path) === '.json' && statOf(path) !== undefined
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file)
  } catch {
    return undefined
  }
}

function isDevice(file: string): boolean {
  const stat = statOf(file)
  return stat !== undefined && !stat.isFile() && !stat.isDirectory()
}

/** Also of what is not there yet. */
function realPath(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    const path = resolve(file)
    const parent = dirname(path)
    return parent === path ? path : join(realPath(parent), basename(path))
  }
}
