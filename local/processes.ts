import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** Sends a signal to a process, or with a negative pid to its group; false when there is none. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

/**
 * When a process began, in words that another process of the same pid would not share; undefined when it is gone.
 * Together with the pid it says whether a process that was noted down is still that one.
 */
export function startOf(pid: number): string | undefined {
  if (!signal(pid, 0)) return undefined
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
    return stdout?.trim() || undefined
  }
  const stat = statOf(pid)
  // one that has ended and that its parent has not asked after yet
  return stat[0] === 'Z' ? undefined : stat[19]
}

export type ProcessMark = { pid: number; start: string }

export const markOf = (pid: number): ProcessMark | undefined => {
  const start = startOf(pid)
  return start === undefined ? undefined : { pid, start }
}

export const runs = (mark: ProcessMark | undefined): boolean =>
  mark !== undefined && startOf(mark.pid) === mark.start

/** Asks a process to end and waits; after `patience` (milliseconds) it is killed. */
export async function end(mark: ProcessMark, patience: number): Promise<void> {
  if (runs(mark)) signal(mark.pid, 'SIGTERM')
  for (const deadline = Date.now() + patience; runs(mark); await sleep(25))
    if (Date.now() > deadline) signal(mark.pid, 'SIGKILL')
}

/**
 * The same for a process that leads a group. What else is in the group is killed after `grace`, if that comes first:
 * a process may wait for its children before it ends. In the end nothing of the group is left.
 */
export async function endGroup(mark: ProcessMark, times: { patience: number; grace: number }): Promise<void> {
  const timer = setTimeout(() => {
    for (const pid of membersOf(mark.pid)) if (pid !== mark.pid) signal(pid, 'SIGKILL')
  }, times.grace)
  await end(mark, times.patience)
  clearTimeout(timer)
  for (const deadline = Date.now() + 5_000; Date.now() < deadline; await sleep(25))
    if (!signal(-mark.pid, 'SIGKILL') || membersOf(mark.pid).length === 0) return
}

function membersOf(group: number): number[] {
  const table =
    process.platform === 'linux'
      ? readdirSync('/proc').flatMap((pid) => {
          const [state, , of] = statOf(pid)
          return state === 'Z' ? [] : [[pid, of]]
        })
      : execFileSync('ps', ['-axo', 'pid=,pgid='], { encoding: 'utf8' })
          .split('\n')
          .map((line) => line.trim().split(/\s+/))
  return table.filter(([, of]) => of === String(group)).map(([pid]) => Number(pid))
}

/** The fields of a process from its state on (proc_pid_stat(5), 3); none when there is no such process. */
function statOf(pid: number | string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // the name in parentheses may hold spaces: fields are counted after it
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    // it ended between the two questions
    return []
  }
}

/**
 * Runs a command in a group of its own, which an abort of `stop` ends as a whole. `onLine` gets each line of its
 * output, which goes to `log` too. Answers its exit code; a command that cannot be started throws.
 */
export async function runCommand(
  command: readonly [string, ...string[]],
  options: {
    cwd: string
    env: Record<string, string>
    log: string
    onLine: (line: string) => void
    stop: AbortSignal
  },
): Promise<number> {
  const { cwd, env, log, onLine, stop } = options
  stop.throwIfAborted()
  const [file, ...args] = command
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = createWriteStream(log, { flags: 'a' })
  for (const stream of [child.stdout, child.stderr]) {
    stream.pipe(output, { end: false })
    createInterface({ input: stream }).on('line', onLine)
  }
  const kill = () => {
    if (child.pid) signal(-child.pid, 'SIGKILL')
  }
  stop.addEventListener('abort', kill)
  try {
    const [code] = await once(child, 'close')
    stop.throwIfAborted()
    return code ?? 1
  } finally {
    stop.removeEventListener('abort', kill)
    output.end()
  }
}
