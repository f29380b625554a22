import { describe, expect, it } from 'vitest'
import { eventTypeNamed } from '../../events/catalogue.ts'
import { subscribersOf } from '../../events/route.ts'
import { routes, routeTo } from '../../events/routes.ts'
import { notificationOf } from './notification.ts'

type Told = Parameters<typeof notificationOf>[0]

/** The example of a type, with changes, as the handler gets it. */
const told = (type: string, changes: object = {}, event: object = {}): Told =>
  ({
    type,
    data: { ...Object(eventTypeNamed(type)?.example), ...changes },
    event: { project: 'main', id: 'e1', correlationid: 'd1', ...event },
  }) as unknown as Told

const message = (...input: Parameters<typeof told>) => notificationOf(told(...input), 'prod')

describe('a notification', () => {
  it.each(routeTo('notify').types)('of $type is one that a person reads and SNS takes', ({ type }) => {
    const { subject, text: body } = message(type)
    expect(subject).toMatch(/^\[main\] [ -~]+$/)
    expect(subject.length).toBeLessThan(100)
    expect(body).not.toMatch(/[{}]|undefined|null|\[object/)
    expect(body).toContain('loadpath trace d1 --stage prod')
  })

  it('asks for an approval, with the commands that answer it', () => {
    expect(message('approval.requested')).toEqual({
      subject: '[main] Approval needed: Deploy Codertocat/Hello-World ec26c3e to master? Risk 70.',
      text: [
        'Deploy Codertocat/Hello-World ec26c3e to master? Risk 70.',
        '',
        'Approve: loadpath approvals approve 4f0b8f3e-6f43-5f0e-9d0f-1c1c9b4d8a11 --stage prod',
        'Deny:    loadpath approvals deny 4f0b8f3e-6f43-5f0e-9d0f-1c1c9b4d8a11 --stage prod',
        '',
        'Run b1946ac92492d2347c6235b4d2611184 of test-and-validate waits for the answer until 2026-01-01 12:00 UTC; then the request expires.',
        '',
        'The whole story: loadpath trace d1 --stage prod',
        '',
      ].join('\n'),
    })
  })

  it('says what fails, and since when', () => {
    const { subject, text: body } = message('build.status-changed', { failing: ['CI', 'unit tests'] })
    expect(subject).toBe('[main] Build failing: octo-org/octo-repo master')
    expect(body).toMatch(/fail at commit 3484a3f: CI, unit tests\.\nBefore, they were passing\./)
    expect(message('build.status-changed', { from: null }).text).toContain('first builds of this branch')
  })

  it('names twenty that fail, and the number of the others', () => {
    const failing = Array.from({ length: 33 }, (_, index) => `b${index}`)
    expect(message('build.status-changed', { failing }).text).toContain('b19 and 13 more.')
  })

  it('says what could not be deployed, and why', () => {
    const { subject, text: body } = message('deployment.failed', { url: 'https://ci.example/1' })
    expect(subject).toBe('[main] Deployment failed: Codertocat/Hello-World to production')
    expect(body).toContain(
      'ec26c3e to production failed: health check did not pass within 300 s\nMore: https://ci.example/1',
    )
    const { commit: _, ...bare } = Object(eventTypeNamed('deployment.failed')?.example)
    expect(notificationOf({ ...told('deployment.failed'), data: bare } as Told, 'prod').text).toContain(
      'Hello-World to production failed',
    )
  })

  it.each([
    ['event.redriven', { stopped: '10 died again of: fetch failed' }, 'redrive'],
    ['replay.completed', { state: 'stopped', reason: '10 died again of: fetch failed' }, 'replay'],
  ])('says of a job that was stopped (%s) why, and what it has done', (type, changes, kind) => {
    const { subject, text: body } = message(type, changes)
    expect(subject).toBe(`[main] Stopped: ${kind} of notify`)
    expect(body).toContain(
      'before it was done: 10 died again of: fetch failed\nUntil then: 12 matched, 12 sent, ',
    )
    expect(body).toContain('loadpath jobs show 5f0e9d0f1c1c9b4d8a11 --stage prod')
  })

  it('is sent of jobs that were stopped, and of no others', () => {
    const told = (type: string, changes: object) =>
      subscribersOf(routes, type, { ...Object(eventTypeNamed(type)?.example), ...changes })
    expect(told('event.redriven', { stopped: 'why' })).toEqual(['notify'])
    expect(told('replay.completed', { state: 'stopped' })).toEqual(['notify'])
    expect(told('event.redriven', {})).toEqual([])
    expect(told('replay.completed', {})).toEqual([])
  })

  it('says what is to be taken back, and why', () => {
    const { subject, text: body } = message('rollback.decided', {
      reasons: ['build: CI fails', 'tests: 3 failed'],
    })
    expect(subject).toBe('[main] Rollback: Codertocat/Hello-World master at ec26c3e')
    expect(body).toContain('to be taken back:\n\n- build: CI fails\n- tests: 3 failed\n')
  })

  it('says which run failed, and of what', () => {
    const { subject, text: body } = message('workflow.failed')
    expect(subject).toBe('[main] Workflow failed: test-and-validate')
    expect(body).toContain(
      'started 2026-01-01 12:00 UTC, failed 2026-01-01 12:00 UTC.\nError: States.Timeout\nCause: the run took',
    )
    expect(message('workflow.failed', { error: undefined, cause: undefined }).text).toContain(
      'Error: none was named\n\n',
    )
  })

  it('says what got worse of the structure, and where the report is', () => {
    const { subject, text: body } = message('mesh.validated')
    expect(subject).toBe(
      '[main] Mesh strained: health fell from healthy to strained, 1 new finding of high severity',
    )
    expect(body).toContain('is strained, with a score of 59.\nOn 2026-11-16 06:00 UTC it was healthy.\n')
    expect(body).toContain('- high: orders gives up what fails without keeping it.\nat most 59: ')
    expect(body).toContain('audit/main/mesh/2026-W47.html')
    expect(body).toContain('loadpath mesh validate --stage prod')
    const unknown = message('mesh.validated', { score: null, trend: null, changes: null }).text
    expect(unknown).toContain('and its score is not known.\n\nat most')
  })

  it('of the structure is sent when something got worse, and only then', () => {
    const { example } = eventTypeNamed('mesh.validated') ?? {}
    const to = (worse: readonly string[]) =>
      subscribersOf(routes, 'mesh.validated', { ...Object(example), worse })
    expect(to(['1 new finding of high severity'])).toEqual(['notify'])
    expect(to([])).toEqual([])
  })

  it('says how many events died, where, and some of them', () => {
    const { subject, text: body } = message('event.dead-lettered', { count: 3 })
    expect(subject).toBe('[main] 3 events dead at analyze-push')
    expect(body).toContain('loadpath dead list --stage prod')
    expect(body).toContain(
      '- 1 from https://github.com/octo-org/octo-repo: data.ref: expected a full ref\n- and 2 more\n',
    )
    expect(message('event.dead-lettered').subject).toBe('[main] 1 event dead at analyze-push')
  })

  it('says what is parted from what it needs, why, and what to do', () => {
    const { subject, text: body } = message('circuit.opened', { downstream: 'api.example' })
    expect(subject).toBe('[main] Circuit open: publish (api.example)')
    expect(body).toContain(
      '5 events failed alike at publish (api.example) within a minute (6 failed, 1 went well):',
    )
    expect(body).toContain('TimeoutError: no answer from events within # ms')
    expect(body).toContain('loadpath resume publish --stage prod --circuit')
    const closed = message('circuit.closed')
    expect(closed.subject).toBe('[main] Circuit closed: publish')
    expect(closed.text).toContain('because a probe succeeded. It was parted since 2026-01-01 12:00 UTC.')
    expect(closed.text).toContain('loadpath jobs show 5f0e9d0f1c1c9b4d8a11 --stage prod')
    expect(message('circuit.closed', { job: undefined }).text).not.toContain('jobs show')
  })
})

describe('what others wrote', () => {
  it('cannot break the subject', () => {
    const { subject, text: body } = message('approval.requested', {
      question: 'Déploy “x” 🚀\r\nBcc: eve – now',
    })
    expect(subject).toBe('[main] Approval needed: Deploy ?x? ? Bcc: eve - now')
    expect(body.split('\n')[0]).toBe('Déploy “x” 🚀 Bcc: eve – now')
  })

  it('cannot make it long', () => {
    const { subject, text: body } = message('approval.requested', { question: 'ä'.repeat(200_000) })
    expect(subject).toHaveLength(99)
    expect(subject).toMatch(/a\.\.\.$/)
    expect(body.length).toBeLessThan(2000)
    const reasons = Array.from({ length: 500 }, () => 'x'.repeat(5000))
    expect(message('rollback.decided', { reasons }).text.length).toBeLessThan(25_000)
    expect(message('approval.requested', { question: '🚀'.repeat(1000) }).text.isWellFormed()).toBe(true)
  })

  it('is no command when it is pasted', () => {
    const body = (correlationid: string) => message('workflow.failed', {}, { correlationid }).text
    expect(body('x; rm -rf ~')).toContain("loadpath trace 'x; rm -rf ~' --stage prod\n")
    expect(body("it's")).toContain(`loadpath trace 'it'\\''s' --stage prod\n`)
    expect(body('https://x/y?z=1')).toContain("loadpath trace 'https://x/y?z=1' --stage prod\n")
  })
})
