import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { causeOf } from './client.ts'
import { CommandError } from './faults.ts'

/** `EDITOR` may have arguments. What is edited may be anybody's data: the file is the user's alone, and goes away. */
export async function edit(text: string, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'loadpath-'))
  const file = join(folder, name)
  try {
    await writeFile(file, text, { mode: 0o600 })
    const variable = process.env.VISUAL ? 'VISUAL' : 'EDITOR'
    const [editor = 'vi', ...options] = (process.env[variable] || 'vi').split(' ')
    const [code] = await once(spawn(editor, [...options, file], { stdio: 'inherit' }), 'exit').catch(
      (error: unknown) => {
        throw new CommandError(`${editor}, which ${variable} names, cannot be started (${causeOf(error)})`)
      },
    )
    if (code !== 0) throw new Error(`${editor} ended with ${code}: nothing was changed`)
    return await readFile(file, 'utf8')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
