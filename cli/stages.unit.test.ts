import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AwsFault, type Served, serve, webhookSecret } from '../test/cli/served.ts'
import { loadpath } from '../test/cli/terminal.ts'

let here: Served
let home: string
beforeAll(async () => {
  here = await serve('dev')
  home = mkdtempSync(join(tmpdir(), 'loadpath-home-'))
})
afterAll(async () => {
  rmSync(home, { recursive: true })
  await here.close()
})

const run = (words: string[], env: Record<string, string> = here.env) => loadpath(words, { env, home })
const document = async (...words: string[]) => JSON.parse((await run([...words, '--json'])).out)

describe('the first key', () => {
  it('is made by AWS credentials, kept for its stage, readable by its owner alone, and used from then on', async () => {
    const env = { AWS_ENDPOINT_URL: here.endpoint }
    const stage = ['--stage', 'dev']
    expect((await run(['keys', 'list', ...stage], env)).err).toContain('No API key is configured')
    const made = await run(['keys', 'create', 'me', '--scope', 'admin', '--save', ...stage], env)
    const path = join(home, '.config', 'loadpath', 'credentials.json')
    expect(made).toMatchObject({ code: 0, err: `It is not shown again; kept in ${path}\n` })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const { items } = JSON.parse((await run(['keys', 'list', '--json', ...stage], env)).out)
    expect(items[0]).toMatchObject({ name: 'me', createdBy: 'user:iam', scopes: ['admin'] })
    await run(['keys', 'create', 'other', '--scope', 'admin', '--save', '--aws', ...stage], env)
    expect((await run(['keys', 'list', ...stage], env)).out).toContain('other')
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('a credentials file that cannot be read is named', async () => {
    const other = mkdtempSync(join(tmpdir(), 'loadpath-home-'))
    const env = { XDG_CONFIG_HOME: other, LOADPATH_STAGE: 'dev', LOADPATH_API: here.endpoint }
    mkdirSync(join(other, 'loadpath'))
    writeFileSync(join(other, 'loadpath', 'credentials.json'), '{"keys":[]}')
    expect((await run(['routes'], env)).err).toContain(`${other}/loadpath/credentials.json cannot be read`)
    rmSync(other, { recursive: true })
  })
})

describe('which stage', () => {
  it('a stage that is not deployed is named, with where it was looked for', async () => {
    const { code, err } = await run(['routes', '--stage', 'prod'], { AWS_ENDPOINT_URL: here.endpoint })
    expect(code).toBe(1)
    expect(err).toContain(
      `There is no stage prod at ${here.endpoint}: it has no parameter /loadpath/prod/config`,
    )
  })

  it('the key and address in the environment are never used for another stage than LOADPATH_STAGE', async () => {
    const { stageOf } = await import('./stage.ts')
    const io = { env: { ...here.env, LOADPATH_API: 'http://127.0.0.1:9' }, home } as never
    expect(await stageOf(io, {}).key()).toBe(here.env.LOADPATH_API_KEY)
    expect(await stageOf(io, {}).api()).toBe('http://127.0.0.1:9')
    const other = stageOf(io, { stage: 'prod' })
    expect(await other.key()).toBe(undefined)
    await expect(other.api()).rejects.toThrow('There is no stage prod')
  })

  it('AWS that does not answer is named', async () => {
    const { err } = await run(['check', '--stage', 'dev'], { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' })
    expect(err).toBe('')
    const routes = await run(['env', '--stage', 'dev'], { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' })
    expect(routes.err).toMatch(/^error: Nothing answers at http:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\)/)
  })
})

describe('env', () => {
  it('says what other tools need, as lines for a shell and as one document', async () => {
    expect(await document('env')).toEqual({
      AWS_ENDPOINT_URL: here.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      LOADPATH_STAGE: 'dev',
      LOADPATH_API: `${here.endpoint}/_aws/execute-api/abc123/%24default`,
      LOADPATH_API_KEY: here.env.LOADPATH_API_KEY,
      LOADPATH_INBOX_BUS: 'loadpath-dev-inbox',
      LOADPATH_EVENTS_BUS: 'loadpath-dev-events',
      LOADPATH_GITHUB_WEBHOOK_SECRET: webhookSecret,
    })
    const { out } = await run(['env'])
    expect(out).toContain(`export LOADPATH_GITHUB_WEBHOOK_SECRET='it is a secret'\n`)
  })

  it('goes without the secret that one may not read, and says so', async () => {
    const known = here.operations['secretsmanager.GetSecretValue']
    here.operations['secretsmanager.GetSecretValue'] = () => {
      throw new AwsFault('AccessDeniedException')
    }
    const { code, out, err } = await run(['env'])
    expect(code).toBe(0)
    expect(out).not.toContain('WEBHOOK')
    expect(err).toContain('Without LOADPATH_GITHUB_WEBHOOK_SECRET: AWS refused')
    if (known) here.operations['secretsmanager.GetSecretValue'] = known
  })
})
