import { createHash, timingSafeEqual } from 'node:crypto'
import * as z from 'zod'
import { projectName } from '../../events/envelope.ts'
import { Failure } from '../errors.ts'
import { faultsOf } from '../event/versions.ts'
import type { Memory, MemoryRecord, MemoryWrite, RecordKey } from '../ports.ts'

export const scope = z.enum([
  /** everything, in every project */
  'admin',
  'events:write',
  'events:read',
  /** redrive, edit, drop, replay, rebuild, pause, resume */
  'deliveries:write',
  'runs:read',
  'runs:write',
  'approvals:read',
  'approvals:write',
  'keys:write',
  'repositories:read',
  'repositories:write',
])
export type Scope = z.infer<typeof scope>

/** Who asks: `actor` is what events name, `project` the tenant that everything is read from and written to. */
export type Principal = { actor: string; project: string; scopes: readonly Scope[] }

// ---- API keys ----------------------------------------------------------------------------------

/** What is kept of a key: never its secret. */
const keptKey = z.object({
  name: z.string(),
  project: projectName,
  scopes: z.array(scope),
  hash: z.string(),
  created: z.iso.datetime(),
  createdBy: z.string(),
  expires: z.iso.datetime().optional(),
  revoked: z.iso.datetime().optional(),
})
type KeptKey = z.infer<typeof keptKey>

/** A key as others may see it. */
export type KeyListing = Omit<KeptKey, 'hash'> & { id: string }

/** Keys stand outside every project, because a credential has to be found before its project is known. */
export const keysProject = '_keys'
export const keyList = (project: string): string => `keys/${project}`
export const keyRecord = (id: string): RecordKey => ({ project: keysProject, kind: 'key', name: id })

/** A key's id and its secret (64 hex digits: 256 bits); the id alone is no secret and serves as the actor. */
const credentialForm = /^lp_([a-z0-9]{8,40})_([0-9a-f]{64})$/

/**
 * One round of sha256 and no slow, salted hash: those make guessing dear where secrets are chosen by people. This
 * secret is 256 random bits, which nobody can guess at any speed, and every request would pay for the slowness.
 */
const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex')

export type KeyRequest = {
  name: string
  project: string
  scopes: readonly Scope[]
  expires?: string | undefined
}

/**
 * A new key: the credential, to be shown once, and the record to commit.
 * `id`: 8 to 40 of a-z and 0-9. `secret`: 32 random bytes as hex.
 * @throws Failure Forbidden when `by` would hand out what it does not hold itself.
 */
export function newKey(
  request: KeyRequest,
  by: Principal,
  { id, secret, now }: { id: string; secret: string; now: string },
): { credential: string; write: MemoryWrite } {
  const credential = `lp_${id}_${secret}`
  if (!credentialForm.test(credential)) throw new Error('a key needs an id and 256 bits of secret as hex')
  requireProject(by, request.project)
  for (const wanted of request.scopes) requireScope(by, wanted)
  const value: KeptKey = {
    name: request.name,
    project: request.project,
    scopes: [...request.scopes],
    hash: hashOf(secret),
    created: now,
    createdBy: by.actor,
    ...(request.expires === undefined ? {} : { expires: request.expires }),
  }
  return { credential, write: keyWrite(id, 1, value) }
}

/** The record of a key that is valid no longer; undefined when it was revoked before. */
export function revokedKey(record: MemoryRecord, now: string): MemoryWrite | undefined {
  const kept = keptKey.parse(record.value)
  return kept.revoked === undefined
    ? keyWrite(record.name, record.version + 1, { ...kept, revoked: now })
    : undefined
}

const keyWrite = (id: string, version: number, value: KeptKey): MemoryWrite => ({
  ...keyRecord(id),
  version,
  value,
  place: { list: keyList(value.project), order: `${value.created} ${id}` },
})

/** Everything of a key but its hash. */
export function shownKey(record: MemoryRecord): KeyListing {
  const { hash: _, ...shown } = keptKey.parse(record.value)
  return { id: record.name, ...shown }
}

// ---- asking ------------------------------------------------------------------------------------

/** The credential of a request, from `authorization: Bearer …` or `x-api-key`; header names in lower case. */
export function credentialOf(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  return bearer ?? headers['x-api-key']?.trim()
}

/**
 * Who holds this credential. One consistent read; a cache, if any, is the caller's matter.
 * Why a key is refused is told only to somebody who knows its secret.
 * @throws Failure Unauthenticated
 */
export async function authenticate(
  memory: Pick<Memory, 'get'>,
  credential: string | undefined,
  now: string,
): Promise<Principal> {
  if (credential === undefined || credential === '')
    throw new Failure('Unauthenticated', 'send an API key as `Authorization: Bearer lp_…` or as `x-api-key`')
  const [, id, secret] = credentialForm.exec(credential) ?? []
  if (id === undefined || secret === undefined)
    throw new Failure('Unauthenticated', 'this is not an API key: one looks like lp_<id>_<secret>')
  const record = await memory.get(keyRecord(id))
  const kept = record && keptKey.parse(record.value)
  const same = timingSafeEqual(
    Buffer.from(hashOf(secret), 'hex'),
    Buffer.from(kept?.hash ?? hashOf(''), 'hex'),
  )
  if (kept === undefined || !same) throw new Failure('Unauthenticated', 'no such API key')
  if (kept.revoked !== undefined)
    throw new Failure('Unauthenticated', `this key was revoked at ${kept.revoked}`)
  if (kept.expires !== undefined && kept.expires <= now)
    throw new Failure('Unauthenticated', `this key expired at ${kept.expires}`)
  return { actor: `user:${id}`, project: kept.project, scopes: kept.scopes }
}

const holds = (principal: Principal, wanted: Scope): boolean =>
  principal.scopes.includes(wanted) || principal.scopes.includes('admin')

/** @throws Failure Forbidden */
export function requireScope(principal: Principal, wanted: Scope): void {
  if (!holds(principal, wanted))
    throw new Failure('Forbidden', `this key lacks the scope ${wanted}`, {
      faults: [{ path: 'scopes', expected: wanted, got: principal.scopes.join(', ') || 'none' }],
    })
}

/** Another project than one's own needs the scope `admin`. @throws Failure Forbidden */
export function requireProject(principal: Principal, project: string): void {
  if (project !== principal.project) requireScope(principal, 'admin')
}

/** With scope `admin`: the project to act in instead of the key's own. */
export const projectHeader = 'loadpath-project'

/** Who asks, acting in the project that the request names. @throws Failure Invalid, Forbidden */
export function actingIn(principal: Principal, wanted: string | undefined): Principal {
  if (wanted === undefined) return principal
  const project = projectName.safeParse(wanted)
  if (!project.success)
    throw new Failure('Invalid', 'the request does not fit', {
      faults: faultsOf(project.error, wanted, `header.${projectHeader}`),
    })
  requireProject(principal, project.data)
  return { ...principal, project: project.data }
}

// ---- projects ----------------------------------------------------------------------------------

const projectsList = 'projects'

/** The record that a project exists; committing it again is a version conflict and harmless. */
export const projectWrite = (project: string, now: string): MemoryWrite => ({
  project: '_projects',
  kind: 'project',
  name: projectName.parse(project),
  version: 1,
  value: { created: now },
  place: { list: projectsList, order: project },
})

/** Notes that a project exists, once. */
export async function registerProject(
  memory: Pick<Memory, 'get' | 'commit'>,
  project: string,
  now: string,
): Promise<void> {
  const write = projectWrite(project, now)
  if ((await memory.get(write)) === undefined) await memory.commit({ writes: [write], outbox: [] })
}

/** When a project was registered, ISO 8601; undefined: nobody knows. */
export async function registeredAt(
  memory: Pick<Memory, 'get'>,
  project: string,
): Promise<string | undefined> {
  const record = await memory.get(projectWrite(project, ''))
  return record && z.object({ created: z.iso.datetime() }).parse(record.value).created
}

/** Names of all registered projects, by name. */
export async function projects(memory: Pick<Memory, 'list'>): Promise<string[]> {
  const names: string[] = []
  let cursor: string | undefined
  do {
    const page = await memory.list({
      project: '_projects',
      list: projectsList,
      oldestFirst: true,
      cursor,
      limit: 100,
    })
    names.push(...page.items.map((record) => record.name))
    cursor = page.next
  } while (cursor !== undefined)
  return names
}
