import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { documents } from './documents.ts'

const root = import.meta.dirname
rmSync(join(root, 'schemas'), { recursive: true, force: true })
for (const [path, text] of documents()) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
