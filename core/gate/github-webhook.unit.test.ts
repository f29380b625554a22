import { createHmac } from 'node:crypto'
import { createRequire } from 'node:module'
import { beforeEach, describe, expect, it } from 'vitest'
import { githubPush } from '../../events/github.push.ts'
import { queued } from '../../test/arrivals.ts'
import { doors, problem, signed } from '../../test/doors.ts'
import { githubEvent, githubType, isSigned } from './github-webhook.ts'

const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as {
  name: string
  examples: object[]
}[]
const payload = githubPush.example
const text = JSON.stringify(payload)

let w: ReturnType<typeof doors>
beforeEach(() => {
  w = doors()
})

describe('a signature', () => {
  const body = Buffer.from(text)
  const good = signed(text)['x-hub-signature-256']

  it('is of the raw body, under the current or the previous secret', () => {
    expect(isSigned(body, good, ['current secret'])).toBe(true)
    expect(isSigned(body, good, ['new secret', 'current secret'])).toBe(true)
    expect(isSigned(body, good.toUpperCase().replace('SHA', 'sha'), ['current secret'])).toBe(true)
    expect(isSigned(Buffer.from(`${text} `), good, ['current secret'])).toBe(false)
  })

  it('under an empty secret, or none, is no signature', () => {
    const empty = `sha256=${createHmac('sha256', '').update(body).digest('hex')}`
    expect(isSigned(body, empty, [''])).toBe(false)
    expect(isSigned(body, good, [])).toBe(false)
  })

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['sha256=', 'sha256='],
    ['sha256=00', 'sha256=00'],
    ['of another body', signed('{}')['x-hub-signature-256']],
    ['under another secret', signed(text, 'secret of the shop')['x-hub-signature-256']],
    ['cut', good.slice(0, -1)],
    ['longer', `${good}0`],
    ['no hex', `sha256=${'zz'.repeat(32)}`],
    ['without its name', good.slice(7)],
    [
      'sha1 under the name of the other',
      `sha1=${createHmac('sha1', 'current secret').update(text).digest('hex')}`,
    ],
  ])('that is %s is refused with 401, and nothing is kept', async (_, signature) => {
    const headers = { 'x-hub-signature-256': signature }
    expect(await w.webhook(payload, { headers })).toMatchObject({
      status: 401,
      ...problem('Unauthenticated'),
    })
    expect(w.stores.history.all()).toMatchObject({ events: [], quarantined: [] })
  })

  it('by sha1 only is refused with 401', async () => {
    const sha1 = `sha1=${createHmac('sha1', 'current secret').update(text).digest('hex')}`
    const headers = { 'x-hub-signature-256': undefined, 'x-hub-signature': sha1 }
    expect(await w.webhook(payload, { headers })).toMatchObject({ status: 401 })
  })

  it('that fits no secret we remember is held against fresh ones, once: a secret that was just changed works', async () => {
    const asked: boolean[] = []
    w.ingestDeps.webhookSecrets = async (_, __, fresh) => {
      asked.push(fresh)
      return fresh ? ['current secret'] : ['old secret']
    }
    expect(await w.webhook(payload)).toMatchObject({ status: 202 })
    expect(asked).toEqual([false, true])
  })

  it('is of the project in the path: another project’s secret opens nothing', async () => {
    expect(await w.webhook(payload, { path: '/webhooks/github/shop' })).toMatchObject({ status: 401 })
    const headers = signed(payload, 'secret of the shop')
    expect(await w.webhook(payload, { path: '/webhooks/github/shop', headers })).toMatchObject({
      body: { project: 'shop' },
    })
    expect(await w.webhook(payload, { path: '/webhooks/github/nobody' })).toMatchObject({ status: 401 })
    expect(await w.webhook(payload, { path: '/webhooks/github/No_Project' })).toMatchObject({ status: 404 })
  })
})

describe('a webhook of GitHub', () => {
  it('is recorded in GitHub’s words: the delivery is its id, the repository its source and key', async () => {
    expect(await w.webhook(payload)).toMatchObject({ status: 202, body: { outcome: 'recorded', id: 'd1' } })
    expect(w.events()).toMatchObject([
      {
        event: {
          id: 'd1',
          source: 'https://github.com/Codertocat/Hello-World',
          type: 'github.push',
          partitionkey: 'repository/Codertocat/Hello-World',
          actor: 'service:github',
          data: payload,
        },
        expects: ['analyze', 'validate'],
      },
    ])
  })

  it('delivered ten times at once is recorded once and sent once', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => w.webhook(payload)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 202))
    expect(w.events()).toHaveLength(1)
  })

  it('is kept whatever kind it is: every payload that GitHub documents', async () => {
    const all = examples.flatMap(({ name, examples: ones }) =>
      ones.map((one, n) => ({ name, one, id: `${name}-${n}` })),
    )
    expect(all.length).toBeGreaterThan(200)
    const answers = await Promise.all(
      all.map(({ name, one, id }) => w.webhook(one, { event: name, delivery: id })),
    )
    const outcomes = Map.groupBy(answers, ({ status, body }) => `${status} ${body.outcome}`)
    // a few are documented twice, word for word
    const distinct = new Set(all.map(({ one }) => JSON.stringify(one))).size
    expect([...outcomes.keys()].sort()).toEqual(['200 duplicate', '202 recorded'])
    expect(outcomes.get('202 recorded')).toHaveLength(distinct)
  })

  it('that does not fit its type is quarantined with 202: GitHub cannot mend it', async () => {
    const bad = { ...payload, commits: 'none' }
    expect(await w.webhook(bad)).toMatchObject({
      status: 202,
      body: { outcome: 'quarantined', reason: 'invalid', project: 'main' },
    })
    expect(w.quarantined()).toMatchObject([{ id: 'd1', faults: [{ path: 'data.commits' }] }])
  })

  it('under a delivery id that has other content is quarantined as a conflict', async () => {
    await w.webhook(payload)
    expect(await w.webhook({ ...payload, ref: 'refs/heads/b' })).toMatchObject({
      body: { outcome: 'quarantined', reason: 'conflict' },
    })
  })

  it('that nests too deep is quarantined as it came', async () => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
    expect(await w.webhook(deep)).toMatchObject({ status: 202, body: { outcome: 'quarantined' } })
    expect(w.quarantined()).toHaveLength(1)
  })

  it('that is larger than an event may be is refused, and nothing is kept', async () => {
    expect(await w.webhook(`{"a":"${'x'.repeat(2_000_000)}"}`)).toMatchObject({ status: 413 })
    expect(w.stores.history.all()).toMatchObject({ events: [], quarantined: [] })
  })

  it.each([
    ['no JSON', 'payload=%7B%7D', {}],
    ['not UTF-8', Uint8Array.from([0x7b, 0xff, 0x7d]), {}],
    ['a list', '[]', {}],
    ['of no event', text, { 'x-github-event': undefined }],
    ['of an event that is no word', text, { 'x-github-event': 'a/b' }],
    ['of no delivery', text, { 'x-github-delivery': undefined }],
  ])('that is signed and %s is quarantined: GitHub does not send it again', async (_, body, headers) => {
    expect(await w.webhook(body, { headers })).toMatchObject({
      status: 202,
      body: { outcome: 'quarantined', reason: 'unreadable' },
    })
    expect(w.quarantined()).toHaveLength(1)
    expect(w.stores.history.all()).toMatchObject({ events: [] })
  })
})

describe('when something of ours fails', () => {
  it.each([
    ['history', 'putPage'],
    ['history', 'insertEvents'],
    ['ephemeral', 'putIfAbsent'],
  ] as const)(
    '(%s.%s) the webhook waits on the record queue: GitHub does not send it again',
    async (port, method) => {
      w.failing(port, method as never)
      expect(await w.webhook(payload)).toMatchObject({ status: 202, body: { outcome: 'queued' } })
      w.mend()
      expect(await w.one(queued(w.stores.queues.take('record')[0] ?? ''))).toMatchObject({
        status: 'recorded',
        event: { id: 'd1' },
      })
    },
  )

  it('and the queue fails, too: 503', async () => {
    w.failing('history', 'insertEvents')
    w.failing('queues', 'send')
    expect(await w.webhook(payload)).toMatchObject({ status: 503, ...problem('Unavailable') })
  })

  it('and the secrets cannot be read: 503, never an open door', async () => {
    w.ingestDeps.webhookSecrets = async () => Promise.reject(new Error('denied'))
    expect(await w.webhook(payload)).toMatchObject({ status: 503 })
    expect(w.events()).toEqual([])
  })
})

describe('GitHub’s words', () => {
  it.each([
    ['push', undefined, 'github.push'],
    ['pull_request', 'ready_for_review', 'github.pull-request.ready-for-review'],
    ['workflow_run', 'in_progress', 'github.workflow-run.in-progress'],
  ])('%s %s is %s', (event, action, type) => {
    expect(githubType(event, action)).toBe(type)
  })

  it.each([
    [{ repository: { full_name: 'o/r' } }, 'https://github.com/o/r', 'repository/o/r'],
    [{ organization: { login: 'o' } }, 'https://github.com/o', undefined],
    [{}, 'https://github.com', undefined],
  ])('of %j has the source %s', (body, source, partitionkey) => {
    const event = githubEvent({ event: 'ping', delivery: 'd', body: Buffer.from(JSON.stringify(body)) })
    expect([event.source, event.partitionkey]).toEqual([source, partitionkey])
  })
})
