import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { executables, places, root } from './places.ts'
import { holderOf, isTaken } from './port.ts'
import { endGroup, markOf, type ProcessMark } from './processes.ts'

/** What every client of a local endpoint is given; the account is then 000000000000. */
export const dummyCredentials = { accessKeyId: 'test', secretAccessKey: 'test' } as const
export const localRegion = 'us-east-1'
export const localAccount = '000000000000'

/** For processes that talk to the endpoint: it, dummy credentials, and nothing of the user's own AWS settings. */
export const endpointEnvironment = (url: string) => ({
  PATH: `${executables}:${process.env.PATH ?? ''}`,
  HOME: process.env.HOME ?? '/',
  AWS_ENDPOINT_URL: url,
  AWS_ACCESS_KEY_ID: dummyCredentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: dummyCredentials.secretAccessKey,
  AWS_REGION: localRegion,
  AWS_DEFAULT_REGION: localRegion,
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
})

/** For clients of the AWS SDK: what is given explicitly cannot be taken from the user's own settings. */
export const clientSettings = (endpoint: string) => ({
  endpoint,
  region: localRegion,
  credentials: dummyCredentials,
})

/** Whether anything speaks HTTP there; what it says does not matter. */
export async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(3000) })
    return true
  } catch {
    return false
  }
}

/** A failure of the machine, not of the code: the message says what to do, and no stack helps. */
export class Trouble extends Error {}

export type Endpoint = {
  url: string
  /** absent where the endpoint is not ours: it is then left as it was found */
  mark?: ProcessMark
  log: string
}

type Env = Readonly<Record<string, string | undefined>>

/** The endpoint that AWS_ENDPOINT_URL names, if one answers there. */
export async function givenEndpoint(env: Env): Promise<string | undefined> {
  const given = env.AWS_ENDPOINT_URL
  if (!given) return undefined
  if (!/^https?:\/\//.test(given) || !URL.canParse(given))
    throw new Trouble(`AWS_ENDPOINT_URL is ${given}: expected an address such as http://localhost:4566`)
  if (new URL(given).hostname.endsWith('.amazonaws.com'))
    throw new Trouble(
      `AWS_ENDPOINT_URL is ${given}: that is AWS itself. To deploy there: npx cdk deploy --all -c stage=dev`,
    )
  return (await answers(given)) ? given : undefined
}

/**
 * The given endpoint, else a MiniStack of our own on LOADPATH_PORT (4566) that keeps its state in `directory`.
 * @throws Trouble
 */
export async function findEndpoint(
  env: Env,
  say: (line: string) => void,
  directory = places.state,
): Promise<Endpoint> {
  const given = await givenEndpoint(env)
  const log = join(places.logs, 'endpoint.log')
  if (given) {
    say(`using the endpoint at AWS_ENDPOINT_URL, ${given}`)
    return { url: given, log }
  }
  const notedPort = join(directory, 'port')
  const port = portOf(env.LOADPATH_PORT || undefined, notedPort)
  if (!existsSync(places.python))
    throw new Trouble(
      env.AWS_ENDPOINT_URL
        ? `nothing answers at AWS_ENDPOINT_URL, ${env.AWS_ENDPOINT_URL}, and no endpoint of our own is installed: start that one, or run node local/prepare.mjs`
        : 'the local AWS endpoint is not installed: run node local/prepare.mjs (npm start does)',
    )
  say(`starting the local AWS endpoint, MiniStack, on 127.0.0.1:${port} …`)
  const began = Date.now()
  const started = await startEndpoint({ port, directory, keep: true, log })
  writeFileSync(notedPort, String(port))
  say(`  answers after ${((Date.now() - began) / 1000).toFixed(1)} s`)
  return started
}

/** What is kept belongs to the port it was made on: queues are known by their addresses, and the port is part of them. */
function portOf(given: string | undefined, noted: string): number {
  const kept = existsSync(noted) ? Number(readFileSync(noted, 'utf8')) : undefined
  const port = given === undefined ? (kept ?? 4566) : Number(given)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Trouble(`LOADPATH_PORT is ${given}: expected a port, 1 to 65535`)
  if (kept !== undefined && kept !== port)
    throw new Trouble(
      `what is kept from earlier starts works on port ${kept} only: set LOADPATH_PORT=${kept}, or begin anew with --fresh`,
    )
  return port
}

const ministack = [places.python, join(root, 'local', 'endpoint.py')] as const

/**
 * Starts MiniStack on the loopback address. `directory` takes its state, which it loads at its start and saves at
 * its end if `keep`, and its temporary files. `log` takes its output; what is there is kept as `<log>.before`.
 * It ends when this process does. Its functions are processes of its own group, so that none outlives it.
 */
export async function startEndpoint(options: {
  port: number
  directory: string
  keep: boolean
  log: string
  command?: readonly [string, ...string[]]
}) {
  const { port, directory, keep, log, command: [file, ...args] = ministack } = options
  if (await isTaken(port))
    throw new Trouble(
      `port ${port} is taken by ${holderOf(port)}: end that, or set LOADPATH_PORT to a free port. If it is an AWS endpoint to be used, set AWS_ENDPOINT_URL=http://localhost:${port}`,
    )
  const state = { services: join(directory, 'services'), objects: join(directory, 's3') }
  // objects are written at once, all else at a graceful end: after a first life that was killed, nobody knows them
  if (!existsSync(join(state.services, 'cloudformation.json')))
    rmSync(state.objects, { recursive: true, force: true })
  const temporary = join(directory, 'tmp')
  rmSync(temporary, { recursive: true, force: true })
  mkdirSync(temporary, { recursive: true })
  // functions are unpacked there: without it the package.json of a clone above would make ES modules of their files
  writeFileSync(join(temporary, 'package.json'), '{}')
  mkdirSync(dirname(log), { recursive: true })
  if (existsSync(log)) renameSync(log, `${log}.before`)
  const output = openSync(log, 'w')
  const child = spawn(file, args, {
    detached: true,
    stdio: ['pipe', output, output],
    // functions inherit this environment: nothing of the user's may be in it, AWS_ENDPOINT_URL least of all
    env: {
      PATH: `${executables}:${process.env.PATH ?? ''}`,
      HOME: directory,
      TMPDIR: temporary,
      PYTHONUNBUFFERED: '1',
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      PERSIST_STATE: keep ? '1' : '0',
      STATE_DIR: state.services,
      S3_PERSIST: keep ? '1' : '0',
      S3_DATA_DIR: state.objects,
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
    },
  })
  closeSync(output)
  const failed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, by) => resolve(`it ended with ${by ?? `code ${code}`}`))
  })
  // by address: the SDK then puts a bucket into the path, where a name would make it a host that nothing resolves
  const url = `http://127.0.0.1:${port}`
  const why = await Promise.race([failed, healthy(url)])
  const mark = child.pid === undefined ? undefined : markOf(child.pid)
  if (why !== undefined || mark === undefined) {
    if (mark) await endGroup(mark, { patience: 0, grace: 0 })
    throw new Trouble(`the local AWS endpoint did not start: ${why}. The end of ${log}:\n${lastLines(log)}`)
  }
  child.unref()
  if (child.stdin instanceof Socket) child.stdin.unref()
  return { url, mark, log } satisfies Endpoint
}

/** When it saved its state last, ISO 8601: it writes a file for each service, at a graceful end alone. Undefined: never. */
export function savedAt(directory = places.state): string | undefined {
  const services = join(directory, 'services')
  if (!existsSync(services)) return undefined
  const times = readdirSync(services).flatMap((name) =>
    name.endsWith('.json') ? statSync(join(services, name)).mtime.toISOString() : [],
  )
  return times.toSorted().at(-1)
}

/**
 * Waits until its state is saved; that takes seconds after a long day, and a minute is a hang. It saves within the
 * first seconds and then waits for functions that still run: those are killed, and what they did is done again later.
 */
export const stopEndpoint = (mark: ProcessMark): Promise<void> =>
  endGroup(mark, { patience: 60_000, grace: 6_000 })

async function healthy(url: string): Promise<string | undefined> {
  const deadline = Date.now() + 60_000
  while (Date.now() < deadline) {
    if (await answers(`${url}/_ministack/health`)) return undefined
    await sleep(50)
  }
  return 'no answer within a minute'
}

export const lastLines = (log: string): string =>
  readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n')
