import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/** What a deployment is never made of; everything else counts, so that a new folder cannot be forgotten. */
const apart = new Set(['node_modules', 'cdk.out', 'dist', 'docs', 'test', 'bench', 'cli', 'local'])
const counts = (name: string) =>
  !name.startsWith('.') && !apart.has(name) && !/\.(test\.ts|md|log)$|^LICENSE$/.test(name)

const filesUnder = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => counts(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? filesUnder(path) : entry.isFile() ? [path] : []
    })
    .sort()

/** Changes whenever a file changes that a deployment could be made of, or one of `more`. Hex sha256. */
export function sourcesDigest(root: string, more: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(more))
  for (const path of filesUnder(root)) {
    const content = readFileSync(path)
    hash.update(`\n${relative(root, path)} ${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}
