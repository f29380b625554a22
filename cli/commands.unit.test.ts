import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Served, serve } from '../test/cli/served.ts'

let here: Served
beforeAll(async () => {
  here = await serve()
})
afterAll(async () => {
  await here.close()
})

describe('what went wrong', () => {
  it('dead list and show', async () => {
    await here.putTest('one')
    const key = { project: 'main', source: 'loadpath-cli', id: 'one', subscriber: 'track-build', replay: '' }
    const times = { started: here.now(), changed: here.now() }
    await here.history.mark(key, {
      state: 'dead',
      attempts: 5,
      reason: 'no such branch',
      emitted: [],
      ...times,
    })
    expect((await here.json('dead', 'list', '--all')).items).toMatchObject([
      { id: 'one', subscriber: 'track-build', attempts: 5 },
    ])
    expect((await here.run(['dead', 'list', '--subscriber', 'notify'])).out).toMatch(
      /^No dead delivery matches; 1 /,
    )
    const shown = await here.run(['dead', 'show', 'one', '--source', 'loadpath-cli'])
    expect(shown.out).toContain('track-build gave up test.completed one')
    expect(shown.out).toContain('because      no such branch')
    expect((await here.run(['why', 'one', '--source', 'loadpath-cli'])).out).toContain(
      '1 delivery is dead: loadpath dead show one',
    )
  })
})

describe('workflows', () => {
  const fields = ['--repository', 'octo/hello', '--branch', 'main']

  it('run takes fields, data or an event; what is text and JSON is sent as the schema wants it', async () => {
    const started = await here.json('run', 'test-and-validate', ...fields, '--commit', '1234567')
    expect(started).toMatchObject({
      workflow: 'test-and-validate',
      event: { type: 'repository.validation-requested' },
    })
    const [frame] = here.queues.take('record')
    expect(JSON.parse(frame ?? '').event.data).toEqual({
      repository: 'octo/hello',
      branch: 'main',
      commit: '1234567',
    })

    const request = JSON.stringify({ repository: 'octo/hello', branch: 'main', commit: 'a' })
    const same = [await here.json('run', 'test-and-validate', '--data', request, '--once', 'k')]
    same.push(await here.json('run', 'test-and-validate', '--data', request, '--once', 'k'))
    expect(same[0].run).toBe(same[1].run)

    const event = {
      specversion: '1.0',
      id: 'asked',
      source: 'urn:x',
      type: 'repository.validation-requested',
      data: JSON.parse(request),
    }
    await here.run(['events', 'put', '-'], { stdin: JSON.stringify(event) })
    expect(await here.json('run', 'test-and-validate', '--event', 'asked')).toMatchObject({
      event: { id: 'asked' },
    })
  })

  it('run says which field is wrong, and which workflows there are', async () => {
    const wrong = await here.run(['run', 'test-and-validate', ...fields])
    expect(wrong).toMatchObject({ code: 1, out: '' })
    expect(wrong.err).toContain('  data.commit: expected string, got nothing')
    expect((await here.run(['run', 'tests', ...fields])).err).toContain(
      'no workflow tests: there is test-and-validate',
    )
  })

  it('--wait follows it to its end, and a failed one is exit code 1', async () => {
    const { run: name } = await here.json('run', 'test-and-validate', '--event', 'asked', '--once', 'w')
    const input = {
      workflow: 'test-and-validate',
      run: name,
      attempt: 1,
      replay: 'r',
      event: {
        project: 'main',
        source: 'urn:x',
        id: 'asked',
        type: 'repository.validation-requested',
        partitionkey: 'p',
        correlationid: 'asked',
        hops: 0,
      },
    }
    setTimeout(() => void here.workflows.start('test-and-validate', name, input), 300)
    setTimeout(
      () => here.workflows.end('test-and-validate', name, { error: 'Boom', cause: 'it went off' }),
      900,
    )
    const waited = await here.run(['run', 'test-and-validate', '--event', 'asked', '--once', 'w', '--wait'])
    expect(waited.code).toBe(1)
    expect(waited.out).toContain(`test-and-validate ${name} failed`)
    expect(waited.out).toMatch(/error +Boom/)
    const shown = await here.json('runs', 'show', 'test-and-validate', name)
    expect(shown).toMatchObject({ status: 'failed', error: 'Boom', event: { id: 'asked' } })
    expect((await here.run(['runs', 'stop', 'test-and-validate', name])).err).toContain(
      'it has failed already (409)',
    )
    const again = await here.run(['runs', 'retry', 'test-and-validate', name])
    expect(again.out).toMatch(/^Attempt 2 is run [0-9a-f]{32}: loadpath runs show test-and-validate/)
    expect((await here.run(['runs', 'list'])).out).toBe('No runs.\n')
  })

  it('approvals are listed and answered once', async () => {
    const { request } = await import('../core/domain/approval.ts')
    const requestedFor = { source: 'urn:x', id: 'asked', correlationid: 'asked', hops: 0 }
    const command = {
      approval: 'q1',
      workflow: 'test-and-validate',
      run: 'r1',
      question: 'Deploy?',
      expires: '2099-01-01T00:00:00Z',
      requestedFor,
      token: 't',
    }
    await here.memory.commit({ writes: request('main', command, undefined)?.writes ?? [], outbox: [] })
    expect((await here.json('approvals', 'list', '--status', 'pending')).items).toMatchObject([
      { approval: 'q1', status: 'pending' },
    ])
    const approved = await here.run(['approvals', 'approve', 'q1', '--comment', 'seen'])
    expect(approved.out).toMatch(/^Deploy\?\nstatus +approved/)
    expect(await here.json('approvals', 'show', 'q1')).toMatchObject({ status: 'approved', comment: 'seen' })
    const late = await here.run(['approvals', 'deny', 'q1'])
    expect(late.code).toBe(1)
    expect(late.err).toContain('it was approved by')
  })
})

describe('what is set up', () => {
  it('repositories are declared with gates', async () => {
    const declared = await here.json(
      'repositories',
      'declare',
      'octo/hello',
      '--branch',
      'main',
      '--gate',
      'tests',
      '--gate',
      'risk:maximum=70,onFailure=rollback',
      '--gate',
      '{"gate":"approval"}',
    )
    expect(declared.gates).toMatchObject([
      { gate: 'tests' },
      { gate: 'risk', maximum: 70, onFailure: 'rollback' },
      { gate: 'approval' },
    ])
    expect((await here.json('repositories', 'list')).items).toHaveLength(1)
    expect((await here.run(['repositories', 'show', 'octo/hello'])).out).toContain(
      'risk:maximum=70,onFailure=rollback',
    )
    const wrong = await here.run([
      'repositories',
      'declare',
      'octo/hello',
      '--branch',
      'main',
      '--gate',
      'risk:maximum=high',
    ])
    expect(wrong.err).toContain('gates.0.maximum: expected number, got "high"')
  })

  it('routes and builds', async () => {
    expect((await here.json('routes')).items[0]).toMatchObject({
      subscriber: 'analyze-push',
      types: ['github.push'],
    })
    const { out } = await here.run(['routes'])
    expect(out).toMatch(/^SUBSCRIBER +KIND +EFFECT +ATTEMPTS +BATCH +AT ONCE +TIMEOUT +ORDERED +TAKES/)
    expect(out).toMatch(
      /^analyze-push +function +outside +5 +\d+ +\d+ +\d+ s +no +github\.push \(some\) +repository\.analyzed$/m,
    )
    expect(out).toMatch(/^track-repository +function +\w+ +\d+ +\d+ +\d+ +\d+ s +yes /m)
    expect((await here.run(['builds', 'octo/hello'])).out).toBe('No build of octo/hello is known.\n')
    expect((await here.run(['builds', 'hello'])).err).toContain('expected <owner>/<name>')
  })

  it('keys are made, listed without their secret, and revoked', async () => {
    const made = await here.run([
      'keys',
      'create',
      'ci',
      '--scope',
      'events:write',
      'runs:read',
      '--expires',
      '1',
    ])
    expect(made.err).toBe('It is not shown again.\n')
    const secret = made.out.trimEnd()
    expect(secret).toMatch(/^lp_\w+_\w{64}$/)
    const env = { ...here.env, LOADPATH_API_KEY: secret }
    const forbidden = await here.run(['routes'], { env })
    expect(forbidden.code).toBe(1)
    expect(forbidden.err).toContain(
      'this key lacks the scope events:read (403)\n  scopes: expected events:read',
    )
    const list = await here.run(['keys', 'list'])
    expect(list.out).toMatch(/ci +main .* until .* events:write runs:read/)
    expect(list.out).not.toContain(secret.slice(-64))
    expect((await here.run(['keys', 'revoke', secret])).out).toMatch(
      /^ci \(\w+\) is refused from now on\.\n$/,
    )
    expect((await here.run(['runs', 'list'], { env })).err).toContain('this key was revoked at')
    expect((await here.run(['keys', 'create', 'x', '--scope', 'everything'])).err).toContain(
      'scopes.0: expected',
    )
  })
})
