import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Trouble } from './endpoint.ts'
import { places, root } from './places.ts'
import { runs, signal } from './processes.ts'
import { alreadyUp, readKept } from './state.ts'

type Env = Readonly<Record<string, string | undefined>>

/**
 * Starts `up` in the background, passes on what it says until everything is up, and leaves it alone.
 * An interruption before that ends it. @throws Trouble when it ends instead
 */
export async function detach({ fresh, say, env }: { fresh: boolean; say: (line: string) => void; env: Env }) {
  const { up: other, phase } = readKept()
  if (other && runs(other)) return say(alreadyUp(other.pid, phase))
  const log = join(places.logs, 'up.log')
  const output = openSync(log, 'w')
  const args = [join(root, 'cli', 'main.ts'), 'up', ...(fresh ? ['--fresh'] : [])]
  const child = spawn(process.execPath, args, {
    cwd: root,
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
    env: { ...env, NO_COLOR: '1' },
  })
  closeSync(output)
  let over: 'up' | 'ended' | undefined
  child.once('message', () => {
    over = 'up'
  })
  child.once('exit', () => {
    over ??= 'ended'
  })
  const interrupt = () => child.pid !== undefined && signal(child.pid, 'SIGTERM')
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, interrupt)
  await using file = await open(log, 'r')
  let rest = ''
  for (let last = false; ; ) {
    rest += await file.readFile('utf8')
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) say(line)
    if (last) break
    last = over !== undefined
    if (!last) await sleep(100)
  }
  if (over === 'ended' && child.exitCode !== 0)
    throw new Trouble(`it did not come up; ${log} has what it said`)
  if (child.connected) child.disconnect()
  child.unref()
  if (over === 'up')
    say(`it runs in the background (pid ${child.pid}, log ${log}): npx loadpath down ends it`)
}
