import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { apiAddress } from './address.ts'
import { firstKey, webhookSecret } from './credentials.ts'
import { deploy } from './deploy.ts'
import { detach } from './detach.ts'
import { type Endpoint, findEndpoint, givenEndpoint, savedAt, stopEndpoint, Trouble } from './endpoint.ts'
import { stay, stopSignal } from './lifetime.ts'
import { loadpath } from './loadpath.ts'
import { clientsOf, mend } from './mends.ts'
import { places } from './places.ts'
import { runs } from './processes.ts'
import { watchRestartedRuns } from './restarted-runs.ts'
import { samples, send } from './samples.ts'
import { settled } from './settled.ts'
import { alreadyUp, claim, type Kept, lostText, readKept, writeKept } from './state.ts'
import { resourcesOf } from './templates.ts'

const stage = 'local'

export type Say = (line: string) => void

export type UpOptions = {
  /** go on in the background and return when all is ready */
  detach: boolean
  /** begin with nothing: what earlier starts left is removed first */
  fresh: boolean
  say?: Say
  env?: Readonly<Record<string, string | undefined>>
}

/**
 * Brings everything up on this machine and stays until it is told to end (Ctrl-C, SIGTERM, the terminal closed);
 * then nothing is left running. Returns at once when it runs already.
 * @throws Trouble with what to do
 */
export async function up({ fresh, say = console.log, env = process.env, ...how }: UpOptions): Promise<void> {
  mkdirSync(places.logs, { recursive: true })
  if (how.detach) return detach({ fresh, say, env })
  const claimed = await claim()
  if ('by' in claimed) {
    const already = alreadyUp(claimed.by.pid, claimed.phase)
    if (fresh) throw new Trouble(`nothing was forgotten: ${already}`)
    return say(already)
  }
  const stop = stopSignal(say)
  let endpoint: Endpoint | undefined
  try {
    await clearAway(claimed.before, fresh, env, say)
    endpoint = await findEndpoint(env, say)
    noteEndpoint(endpoint, say)
    await begin(endpoint.url, say, stop)
    const alone = process.send === undefined
    say(
      `${alone ? 'it stays up until Ctrl-C; in another terminal' : 'go on with'}: npx loadpath check, npx loadpath events tail -f`,
    )
    // to `up --detach`, which may be gone by now
    process.send?.('up', undefined, undefined, () => undefined)
    const { api, apiKey } = readKept()
    // of an endpoint that has ended by itself nothing more is asked: the next one may answer at its address
    const ended = new AbortController()
    const over = AbortSignal.any([stop, ended.signal])
    await Promise.all([
      stay(endpoint, stop).finally(() => ended.abort()),
      api !== undefined && apiKey !== undefined && watchRestartedRuns({ api, apiKey }, over, say),
    ])
  } catch (error) {
    // what an interruption breaks off may fail in any way
    if (!stop.aborted) throw error
  } finally {
    if (endpoint?.mark) {
      say('ending: the endpoint saves its state …')
      await stopEndpoint(endpoint.mark)
      say('ended; nothing is left running')
    }
    writeKept({ ...readKept(), phase: 'stopped', up: undefined, endpoint: undefined })
  }
}

async function clearAway(before: Kept, fresh: boolean, env: NonNullable<UpOptions['env']>, say: Say) {
  if (before.endpoint?.mark && runs(before.endpoint.mark)) {
    say('an earlier start was killed and left its endpoint running: ending that first …')
    await stopEndpoint(before.endpoint.mark)
  }
  if (!fresh) return
  const given = await givenEndpoint(env)
  if (given) throw new Trouble(`--fresh forgets what our own endpoint keeps; ${given} is not ours to empty`)
  say('forgetting what earlier starts left …')
  rmSync(places.state, { recursive: true, force: true })
  rmSync(places.assembly, { recursive: true, force: true })
  const { phase, up } = readKept()
  writeKept({ phase, up })
}

/** What an endpoint of our own has lost when it was killed is told at the next start, by which its beginning is noted anew. */
function noteEndpoint({ url, mark }: Endpoint, say: Say): void {
  const kept = readKept()
  const lost = mark && lostText(kept, savedAt())
  if (lost !== undefined) say(lost)
  writeKept({ ...kept, endpoint: { url, mark }, ...(mark && { began: new Date().toISOString() }) })
}

/** From an endpoint that answers to the first event handled: each step needs those before it. */
async function begin(endpoint: string, say: Say, stop: AbortSignal): Promise<void> {
  const log = join(places.logs, 'cdk.log')
  const config = await deploy({ endpoint, stage, assembly: places.assembly, log, say, stop })
  const mended = await mend(resourcesOf(places.assembly), clientsOf(endpoint))
  if (mended.length > 0) say(`mended what the endpoint leaves out: ${mended.join(', ')}`)
  const api = apiAddress(config, endpoint)
  const apiKey = await firstKey({ endpoint, stage, api, known: readKept().apiKey })
  const secret = await webhookSecret(endpoint, config)
  writeKept({ ...readKept(), phase: 'ready', api, apiKey, webhookSecret: secret })
  stop.throwIfAborted()
  say('sending three GitHub webhooks: a push, a pull request, a finished workflow run …')
  const [push, ...others] = samples()
  for (const sample of [push, ...others]) await send(sample, api, secret)
  if (!(await settled({ api, apiKey }, push.delivery, stop)))
    say('the push is still being handled; this is how far it is:')
  say(`$ npx loadpath trace ${push.delivery}`)
  say(loadpath(['trace', push.delivery], endpoint, stage))
  say(`API       ${api}`)
  say(`endpoint  ${endpoint}`)
  say(`logs      ${places.logs}`)
}
