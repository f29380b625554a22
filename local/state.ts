import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { localTime } from '../cli/output.ts'
import { Trouble } from './endpoint.ts'
import { places } from './places.ts'
import { markOf, type ProcessMark, runs } from './processes.ts'

const mark = z.object({ pid: z.number().int(), start: z.string() })

/** What `up` notes down, and what it takes up again when it is started the next time. */
const kept = z.object({
  phase: z.enum(['starting', 'ready', 'stopped']),
  /** the process of `up` */
  up: mark.optional(),
  /** `mark` is absent where the endpoint is not ours */
  endpoint: z.object({ url: z.string(), mark: mark.optional() }).optional(),
  /** when the endpoint of our own was started last */
  began: z.iso.datetime().optional(),
  /** base address of the HTTP API */
  api: z.string().optional(),
  /** an API key with the scope admin */
  apiKey: z.string().optional(),
  /** what GitHub webhooks of the project `main` are signed with */
  webhookSecret: z.string().optional(),
})
export type Kept = z.infer<typeof kept>

/** What runs on this machine, ready to be used. */
export type Running = {
  pid: number
  endpoint: string
  api: string
  apiKey: string
  webhookSecret: string
}

/** Undefined when nothing runs, or is not ready yet. */
export function running(file = places.running): Running | undefined {
  const { phase, up, endpoint, api, apiKey, webhookSecret } = readKept(file)
  if (phase !== 'ready' || !up || !runs(up)) return undefined
  if (!endpoint || api === undefined || apiKey === undefined || webhookSecret === undefined) return undefined
  return { pid: up.pid, endpoint: endpoint.url, api, apiKey, webhookSecret }
}

/** Nothing is kept where there is no file, or one that an older version wrote in another form. */
export function readKept(file = places.running): Kept {
  const nothing: Kept = { phase: 'stopped' }
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return nothing
    throw error
  }
  try {
    return kept.safeParse(JSON.parse(text)).data ?? nothing
  } catch (error) {
    throw new Trouble(`${file} is no JSON: end what runs, delete the file and start again`, { cause: error })
  }
}

/** Readable by this user alone: it holds secrets. */
export function writeKept(what: Kept, file = places.running): void {
  const next = `${file}.${process.pid}`
  writeFileSync(next, `${JSON.stringify(what, null, 2)}\n`, { mode: 0o600 })
  chmodSync(next, 0o600)
  renameSync(next, file)
}

/**
 * Notes that this process is the one that runs here, unless another is: then that one is the answer.
 * `before` is what was kept; an endpoint in it that still runs was left over by an `up` that was killed.
 */
export async function claim(
  file = places.running,
): Promise<{ before: Kept } | { by: ProcessMark; phase: Kept['phase'] }> {
  const release = await lock(`${file}.lock`)
  try {
    const before = readKept(file)
    if (before.up && runs(before.up)) return { by: before.up, phase: before.phase }
    writeKept({ ...before, phase: 'starting', up: markOf(process.pid) }, file)
    return { before }
  } finally {
    release()
  }
}

/** What is gone where the endpoint has saved nothing since it was started last. `saved`: when it did, if ever. */
export const lostText = ({ began }: Kept, saved: string | undefined): string | undefined =>
  began === undefined || (saved !== undefined && saved >= began)
    ? undefined
    : `it did not end gracefully last time: what came since its last start, at ${localTime(began)}, is gone`

export const alreadyUp = (pid: number, phase: Kept['phase']): string =>
  phase === 'ready'
    ? `it is up already (pid ${pid}): npx loadpath check says how it is, npx loadpath down ends it`
    : `it is being started already (pid ${pid}); npx loadpath down ends that`

/** The lock is held for milliseconds: an old one is of a process that was killed just then. */
async function lock(file: string): Promise<() => void> {
  mkdirSync(places.own, { recursive: true })
  for (;;) {
    try {
      writeFileSync(file, '', { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    }
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (age > 5_000) rmSync(file, { force: true })
    await sleep(20)
  }
}

const isCode = (error: unknown, code: string) =>
  error instanceof Error && 'code' in error && error.code === code
