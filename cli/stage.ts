import type { StageConfig } from '../adapters/stage-config.ts'
import type { Running } from '../local/state.ts'
import { CommandError, UsageError } from './faults.ts'
import type { Io } from './io.ts'

/** Which deployment is meant, and how it is reached. Everything is looked up when it is asked for, once. */
export type Stage = {
  name: string
  /** runs on this machine, by `loadpath up` */
  local: boolean
  profile: string | undefined
  /** the environment, as far as it is about this stage */
  own: Io['env']
  /** what `loadpath up` says of itself, when the local stage is meant and runs */
  running: () => Promise<Running | undefined>
  /** the AWS endpoint, where it is not AWS's own */
  endpoint: () => Promise<string | undefined>
  /** what the deployment says of itself */
  config: () => Promise<StageConfig>
  /** base address of the HTTP API */
  api: () => Promise<string>
  key: () => Promise<string | undefined>
  /** what to do when nothing answers there */
  start: string
}

export type StageOptions = { stage?: string | undefined; profile?: string | undefined }

const once = <T>(work: () => Promise<T>) => {
  let kept: Promise<T> | undefined
  return () => {
    kept ??= work()
    return kept
  }
}

async function whyNotRunning(): Promise<string> {
  const { readKept } = await import('../local/state.ts')
  const { runs } = await import('../local/processes.ts')
  const { phase, up } = readKept()
  return phase === 'starting' && runs(up)
    ? 'It is being started on this machine: wait until `loadpath up` says that it is up.'
    : 'Nothing runs on this machine. Start it: loadpath up'
}

/** A base address of the environment, without slashes at its end. */
function address(variable: string, value: string | undefined): string | undefined {
  if (!value) return undefined
  if (!/^https?:\/\/[^/]/.test(value) || !URL.canParse(value))
    throw new UsageError(`${variable}=${value}: expected an address such as http://localhost:4566`)
  return value.replace(/\/+$/, '')
}

/**
 * The stage that the options or LOADPATH_STAGE name; `local` by default.
 * LOADPATH_API and LOADPATH_API_KEY belong to the stage in LOADPATH_STAGE. With `--stage` of another one they are not
 * used: the key of one deployment would be sent to another.
 */
export function stageOf(io: Io, options: StageOptions): Stage {
  const { env } = io
  const name = options.stage ?? (env.LOADPATH_STAGE || 'local')
  if (!/^[a-z][a-z0-9-]{0,19}$/.test(name))
    throw new UsageError(`--stage ${name}: expected a name of a-z, 0-9 and -, such as local, dev or prod`)
  const local = name === 'local'
  const own = !env.LOADPATH_STAGE || env.LOADPATH_STAGE === name ? env : {}

  const running = once(async () => {
    if (!local) return undefined
    const found = (await import('../local/state.ts')).running()
    const given = address('AWS_ENDPOINT_URL', env.AWS_ENDPOINT_URL)
    return given === undefined || given === found?.endpoint ? found : undefined
  })
  const endpoint = once(async () => {
    const known = address('AWS_ENDPOINT_URL', env.AWS_ENDPOINT_URL) ?? (await running())?.endpoint
    if (known === undefined && local) throw new CommandError(await whyNotRunning())
    return known
  })
  const stage: Stage = {
    name,
    local,
    profile: options.profile,
    own,
    running,
    endpoint,
    config: once(async () => (await import('./aws.ts')).readConfig(stage)),
    api: once(async () => {
      const known = address('LOADPATH_API', own.LOADPATH_API) ?? (await running())?.api
      if (known !== undefined) return known
      const { apiAddress } = await import('../local/address.ts')
      return apiAddress(await stage.config(), await endpoint())
    }),
    key: once(
      async () =>
        own.LOADPATH_API_KEY ||
        (await running())?.apiKey ||
        (await (await import('./credentials.ts')).savedKey(io, name)),
    ),
    start: local ? 'Start it: loadpath up' : `Is stage ${name} deployed, and the address right?`,
  }
  return stage
}
