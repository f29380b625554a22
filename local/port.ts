import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

/** Whether something listens on this port of the loopback address. */
export const isTaken = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const answer = (taken: boolean) => {
      socket.destroy()
      resolve(taken)
    }
    socket.once('connect', () => answer(true)).once('error', () => answer(false))
  })

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(address)))
    })
  })

/** The process that listens on a port, as far as this user may see it: `pid 4711 (postgres)`. */
export function holderOf(port: number): string {
  try {
    const found = process.platform === 'linux' ? holderByProc(port) : holderByLsof(port)
    if (found) return `pid ${found.pid} (${found.name})`
  } catch {
    // a process that ends, or that is not ours to look into: the answer below is then the honest one
  }
  return 'a process of another user'
}

function holderByProc(port: number) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const inodes = new Set(
    // the second is missing where there is no IPv6
    ['/proc/net/tcp', '/proc/net/tcp6'].filter(existsSync).flatMap((table) =>
      readFileSync(table, 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[1]?.endsWith(`:${hex}`) && fields[3] === '0A')
        .map((fields) => `socket:[${fields[9]}]`),
    ),
  )
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    if (openFiles(pid).some((file) => inodes.has(file)))
      return { pid, name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() }
  return undefined
}

/** What a process has open; one that is gone by now, or not ours to look into, has nothing. */
function openFiles(pid: string): string[] {
  const folder = `/proc/${pid}/fd`
  return orNothing(() => readdirSync(folder)).flatMap((fd) =>
    orNothing(() => [readlinkSync(join(folder, fd))]),
  )
}

function orNothing(read: () => string[]): string[] {
  try {
    return read()
  } catch {
    return []
  }
}

function holderByLsof(port: number) {
  const text = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { encoding: 'utf8' })
  const pid = /^p(.+)$/m.exec(text)?.[1]
  const name = /^c(.+)$/m.exec(text)?.[1]
  return pid && name ? { pid, name } : undefined
}
