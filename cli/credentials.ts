import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { CommandError } from './faults.ts'

/** stage -> API key */
const file = z.object({ keys: z.record(z.string(), z.string()) })

type Home = { env: Readonly<Record<string, string | undefined>>; home: string }

export const credentialsPath = ({ env, home }: Home): string =>
  join(env.XDG_CONFIG_HOME || join(home, '.config'), 'loadpath', 'credentials.json')

async function readAll(home: Home): Promise<z.infer<typeof file>> {
  const path = credentialsPath(home)
  try {
    return file.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { keys: {} }
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error)
    throw new CommandError(`${path} cannot be read: ${why}\nMend or remove it.`)
  }
}

export const savedKey = async (home: Home, stage: string): Promise<string | undefined> =>
  (await readAll(home)).keys[stage]

/** Keeps the key of a stage, readable by this user only; answers where. */
export async function saveKey(home: Home, stage: string, key: string): Promise<string> {
  const path = credentialsPath(home)
  const { keys } = await readAll(home)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const written = `${path}.${process.pid}`
  await writeFile(written, `${JSON.stringify({ keys: { ...keys, [stage]: key } }, null, 2)}\n`, {
    mode: 0o600,
  })
  // the mode above is for a new file only
  await chmod(written, 0o600)
  await rename(written, path)
  return path
}
