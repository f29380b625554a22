import { describe, expect, it } from 'vitest'
import type { MemoryRecord, MemoryWrite, RecordKey } from '../ports.ts'
import {
  authenticate,
  credentialOf,
  newKey,
  type Principal,
  projects,
  registerProject,
  requireProject,
  requireScope,
  revokedKey,
  shownKey,
} from './access.ts'

const now = '2026-01-01T12:00:00.000Z'
const later = '2026-02-01T12:00:00.000Z'
const secret = 'a1'.repeat(32)
const owner: Principal = { actor: 'user:owner', project: 'acme', scopes: ['keys:write', 'events:read'] }
const admin: Principal = { actor: 'user:iam', project: 'main', scopes: ['admin'] }

const make = (by = owner, expires?: string) =>
  newKey({ name: 'ci', project: 'acme', scopes: ['events:read'], expires }, by, {
    id: 'k0000001',
    secret,
    now,
  })

const memory = (...records: MemoryRecord[]) => ({
  get: async ({ project, kind, name }: RecordKey) =>
    records.find((r) => r.project === project && r.kind === kind && r.name === name),
})

describe('credentialOf', () => {
  it.each([
    [{ authorization: 'Bearer lp_a_b' }, 'lp_a_b'],
    [{ authorization: 'bearer   lp_a_b ' }, 'lp_a_b'],
    [{ 'x-api-key': ' lp_a_b ' }, 'lp_a_b'],
    [{ authorization: 'Basic Zm9v', 'x-api-key': 'lp_a_b' }, 'lp_a_b'],
    [{ authorization: 'Basic Zm9v' }, undefined],
    [{}, undefined],
  ])('%j gives %s', (headers, credential) => {
    expect(credentialOf(headers)).toBe(credential)
  })
})

describe('authenticate', () => {
  it('knows the holder of a key', async () => {
    const { credential, write } = make()
    expect(credential).toBe(`lp_k0000001_${secret}`)
    expect(await authenticate(memory(write), credential, now)).toEqual({
      actor: 'user:k0000001',
      project: 'acme',
      scopes: ['events:read'],
    })
  })

  it('keeps no secret', () => {
    const { write } = make()
    expect(JSON.stringify(write)).not.toContain(secret)
    expect(shownKey(write)).not.toHaveProperty('hash')
  })

  it.each([
    ['nothing', undefined, 'send an API key'],
    ['an empty text', '', 'send an API key'],
    ['another kind of token', 'ghp_abcdef', 'not an API key'],
    ['a short secret', 'lp_k0000001_a1a1', 'not an API key'],
    ['a key that nobody made', `lp_k0000002_${secret}`, 'no such API key'],
    ['a wrong secret', `lp_k0000001_${'b2'.repeat(32)}`, 'no such API key'],
    ['the secret in another case', `lp_k0000001_${secret.toUpperCase()}`, 'not an API key'],
  ])('refuses %s', async (_, credential, message) => {
    const asked = authenticate(memory(make().write), credential, now)
    await expect(asked).rejects.toMatchObject({
      code: 'Unauthenticated',
      message: expect.stringContaining(message),
    })
  })

  it('refuses a key from the moment it expires', async () => {
    const { credential, write } = make(owner, later)
    await expect(authenticate(memory(write), credential, '2026-02-01T11:59:59.999Z')).resolves.toBeDefined()
    await expect(authenticate(memory(write), credential, later)).rejects.toThrow('expired')
  })

  it('refuses a revoked key, and revokes once', async () => {
    const { credential, write } = make()
    const revoked = revokedKey(write, later)
    if (revoked === undefined) throw new Error('not revoked')
    expect(revoked.version).toBe(2)
    await expect(authenticate(memory(revoked), credential, later)).rejects.toThrow('revoked')
    expect(revokedKey(revoked, later)).toBeUndefined()
  })
})

describe('handing out keys', () => {
  it('refuses scopes that one does not hold', () => {
    const give = () =>
      newKey({ name: 'x', project: 'acme', scopes: ['admin'] }, owner, { id: 'k0000001', secret, now })
    expect(give).toThrow(expect.objectContaining({ code: 'Forbidden' }))
  })

  it('refuses another project, but for an admin', () => {
    const give = (by: Principal) => () =>
      newKey({ name: 'x', project: 'other', scopes: ['events:read'] }, by, { id: 'k0000001', secret, now })
    expect(give(owner)).toThrow(expect.objectContaining({ code: 'Forbidden' }))
    expect(give(admin)).not.toThrow()
  })

  it('takes no weak secret', () => {
    const give = () =>
      newKey({ name: 'x', project: 'acme', scopes: [] }, owner, { id: 'k0000001', secret: 'abc', now })
    expect(give).toThrow('256 bits')
  })
})

describe('scopes', () => {
  it('names the one that lacks', () => {
    expect(() => requireScope(owner, 'runs:write')).toThrow('runs:write')
    expect(() => requireScope(owner, 'events:read')).not.toThrow()
    expect(() => requireScope(admin, 'runs:write')).not.toThrow()
  })

  it('shuts other projects', () => {
    expect(() => requireProject(owner, 'other')).toThrow(expect.objectContaining({ code: 'Forbidden' }))
    expect(() => requireProject(owner, 'acme')).not.toThrow()
    expect(() => requireProject(admin, 'other')).not.toThrow()
  })
})

describe('projects', () => {
  it('are registered once and listed over pages', async () => {
    const kept: MemoryWrite[] = []
    const store = {
      ...memory(),
      commit: async ({ writes }: { writes: readonly MemoryWrite[] }) => {
        kept.push(...writes)
        return 'committed' as const
      },
      list: async ({ cursor = '0', limit }: { cursor?: string | undefined; limit: number }) => {
        const from = Number(cursor)
        const items = kept.slice(from, from + Math.min(limit, 2))
        return { items, next: from + 2 < kept.length ? String(from + 2) : undefined }
      },
      get: async ({ name }: RecordKey) => kept.find((record) => record.name === name),
    }
    for (const name of ['b', 'a', 'c', 'a']) await registerProject(store, name, now)
    expect(await projects(store)).toEqual(['b', 'a', 'c'])
    await expect(registerProject(store, '_keys', now)).rejects.toThrow('a project is')
  })
})
