import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { idempotencyKey } from '../../core/identity.ts'
import type { Delivery, DeliveryKey, Fate } from '../../core/ports.ts'
import { commandLine, queueOf, subscription } from './operator.ts'
import { commitId, deliveryTo, deployedStage, deployments, eventually, pushPayload } from './stage.ts'

/** Dead letters, by the hand of an operator at the command line. */

const stage = deployedStage()
const { loadpath, said } = commandLine(stage)

const deathOf = (identity: Parameters<typeof stage.history.fate>[0], subscriber: string) =>
  eventually(async () => {
    const fate = await stage.history.fate(identity)
    expect(deliveryTo(fate, subscriber)).toMatchObject({ state: 'dead' })
    return fate
  })

/** The event of this type about the delivery of an event, with its data. */
const auditOf = (type: string, subscriber: string, { source, id }: { source: string; id: string }) =>
  eventually(async () => {
    const key = encodeURIComponent(`delivery/${subscriber}//${source}/${id}`)
    const { body } = await stage.call('GET', `/v1/events?type=${type}&key=${key}`)
    expect(body.items).toHaveLength(1)
    return (await stage.call('GET', `/v1/events/${body.items[0].id}`)).body.event
  })

const emptyBucket = (key: string) =>
  new S3Client({ forcePathStyle: true }).send(
    new DeleteObjectCommand({ Bucket: stage.config.bucket, Key: key }),
  )

const runsOf = async (id: string) => {
  const { body } = await stage.call('GET', '/v1/runs?limit=100')
  return body.items.filter(({ event }: { event?: { id: string } }) => event?.id === id)
}

describe('a push that cannot be analysed, because its body is gone from the bucket', () => {
  const repository = `octo/${randomUUID().slice(0, 8)}`
  const source = `https://github.com/${repository}`
  const commits = [
    {
      id: commitId(),
      message: 'x'.repeat(80_000),
      timestamp: '2026-01-01T12:00:00Z',
      author: { name: 'octo' },
      added: ['src/index.ts'],
    },
  ]
  const whole = pushPayload({ commits, repository: { full_name: repository, default_branch: 'master' } })
  const mended = { ...whole, commits: [{ ...commits[0], message: 'A long story, cut short' }] }
  const folder = mkdtempSync(join(tmpdir(), 'loadpath-mending-'))
  const file = join(folder, 'mended.json')
  let id: string
  let died: Fate
  const other = (fate: Fate): (DeliveryKey & Delivery) | undefined => deliveryTo(fate, 'test-and-validate')

  beforeAll(async () => {
    const queue = queueOf(stage, 'analyze-push')
    await queue.turn('off')
    try {
      id = (await stage.webhook('push', whole)).delivery
      const identity = { project: 'main', source, id }
      await eventually(async () =>
        expect(other(await stage.history.fate(identity))).toMatchObject({ state: 'done' }),
      )
      const { stored } = await stage.history.fate(identity)
      await emptyBucket(stored?.event.dataref ?? 'nothing')
    } finally {
      await queue.turn('on')
    }
    died = await deathOf({ project: 'main', source, id }, 'analyze-push')
    writeFileSync(file, JSON.stringify(mended))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('is listed by subscriber and reason, and shown', async () => {
    const { out } = await loadpath('dead', 'list', '--subscriber', 'analyze-push')
    expect(out).toMatch(/1 +analyze-push .*is gone from the bucket/)
    const { groups } = await said('dead', 'list', '--reason', 'gone from the bucket')
    expect(groups).toMatchObject([{ subscriber: 'analyze-push', count: 1, sample: [{ source, id }] }])
    const shown = await loadpath('dead', 'show', id)
    expect(shown).toMatchObject({
      code: 0,
      out: expect.stringContaining(`the body of event ${id} is gone from the bucket`),
    })
    expect(deliveryTo(died, 'analyze-push')).toMatchObject({ attempts: 1 })
  })

  it('does not take data that is none of its type', async () => {
    const { code, err } = await loadpath('dead', 'edit', id, '--data', '{"ref":"main"}')
    expect(code).toBe(1)
    expect(err).toContain('data.ref: expected a full ref such as refs/heads/main')
    const fate = await stage.history.fate({ project: 'main', source, id })
    expect(deliveryTo(fate, 'analyze-push')?.state).toBe('dead')
  })

  it('is handled by that subscriber alone after an edit, and nothing else runs again', async () => {
    const edited = await said('dead', 'edit', id, '--data', file)
    expect(edited).toMatchObject({ outcome: 'edited', subscriber: 'analyze-push' })
    const { replacement } = edited
    const healed = await stage.settled({ project: 'main', source, id: replacement })
    expect(healed.stored).toMatchObject({
      expects: ['analyze-push'],
      event: { type: 'github.push', causationid: id, correlationid: id, door: 'edit' },
    })
    expect(healed.deliveries).toMatchObject([{ subscriber: 'analyze-push', state: 'done', attempts: 1 }])
    const [analysed = 'nothing'] = deliveryTo(healed, 'analyze-push')?.emitted ?? []
    const { stored } = await stage.settled({
      project: 'main',
      source: '/loadpath/analyze-push',
      id: analysed,
    })
    expect(stored?.event.data).toMatchObject({ repository, commit: whole.after, areas: [{ area: 'src' }] })

    const original = await stage.history.fate({ project: 'main', source, id })
    expect(deliveryTo(original, 'analyze-push')).toMatchObject({
      state: 'dropped',
      reason: `superseded by ${replacement}`,
    })
    expect(other(original)).toEqual(other(died))
    expect(await runsOf(id)).toHaveLength(1)
    expect(await runsOf(replacement)).toEqual([])

    const audit = await auditOf('delivery.edited', 'analyze-push', { source, id })
    expect(audit).toMatchObject({ actor: expect.stringMatching(/^user:/), data: { replacement } })
    expect(audit.data.changes).toEqual(edited.changes)
    expect(edited.changes).not.toEqual([])
    const again = await said('dead', 'edit', id, '--data', file)
    expect(again).toMatchObject({ outcome: 'already', replacement })
    expect(await loadpath('dead', 'edit', id, '--data', JSON.stringify(whole))).toMatchObject({
      code: 1,
      err: expect.stringContaining(`already superseded by ${replacement}`),
    })
    expect(await loadpath('dead', 'list', '--subscriber', 'analyze-push')).toMatchObject({
      out: 'No delivery is dead.\n',
    })
  })
})

describe('deliveries whose handling has crashed', () => {
  let outside: Awaited<ReturnType<typeof subscription>>
  beforeAll(async () => {
    outside = await subscription(stage)
  })
  afterAll(() => outside.end())

  const keyOf = (event: { source: string; id: string }) =>
    idempotencyKey({ project: 'main', ...event }, 'notify', '')

  /** So many that have never been handled; each crashed. */
  async function crashed(many: number) {
    const events = deployments(many)
    const queue = queueOf(stage, 'notify')
    await queue.turn('off')
    try {
      await stage.put(events)
      await queue.crash(events.map(({ id }) => id))
    } finally {
      await queue.turn('on')
    }
    for (const { source, id } of events) await deathOf({ project: 'main', source, id }, 'notify')
    return events
  }

  it('are sent again one by one, once, or dropped for good', async () => {
    const [one, other] = await crashed(2)
    if (one === undefined || other === undefined) throw new Error('two were to crash')
    expect(await loadpath('dead', 'redrive', one.id)).toMatchObject({ code: 0, out: 'notify sent\n' })
    await outside.once([keyOf(one)])
    await stage.settled({ project: 'main', ...one })
    expect(await loadpath('dead', 'redrive', one.id)).toMatchObject({
      code: 0,
      out: 'notify already done\n',
    })
    const fate = await stage.history.fate({ project: 'main', source: one.source, id: one.id })
    expect(deliveryTo(fate, 'notify')).toMatchObject({ state: 'done', resumed: 1 })
    expect(await auditOf('event.redriven', 'notify', one)).toMatchObject({
      actor: expect.stringMatching(/^user:/),
      data: { state: 'dead', reason: expect.stringContaining('crashed or ran out of time') },
    })

    expect(await loadpath('dead', 'drop', other.id)).toMatchObject({ code: 2 })
    const dropped = await loadpath('dead', 'drop', other.id, '--because', 'a test', '--yes')
    expect(dropped).toMatchObject({ code: 0, out: 'notify dropped\n' })
    expect(await auditOf('delivery.dropped', 'notify', other)).toMatchObject({ data: { reason: 'a test' } })
    expect(await loadpath('dead', 'redrive', other.id)).toMatchObject({
      code: 1,
      out: 'notify already dropped\n',
    })
    expect(await outside.times([keyOf(one), keyOf(other)])).toEqual([1, 0])
  })

  it('are handled as somebody has edited them, who is named with the difference', async () => {
    const [one] = await crashed(1)
    if (one === undefined) throw new Error('one was to crash')
    const data = JSON.stringify({ ...one.data, environment: 'staging' })
    const { replacement } = await said('dead', 'edit', one.id, '--data', data)
    await outside.once([keyOf({ source: one.source, id: replacement })])
    expect(await outside.times([keyOf(one)])).toEqual([0])
    expect(await auditOf('delivery.edited', 'notify', one)).toMatchObject({
      actor: expect.stringMatching(/^user:/),
      data: {
        replacement,
        changes: [{ path: '/environment', before: 'production', after: 'staging' }],
      },
    })
    const fate = await stage.history.fate({ project: 'main', source: one.source, id: one.id })
    expect(deliveryTo(fate, 'notify')).toMatchObject({
      state: 'dropped',
      reason: `superseded by ${replacement}`,
    })
  })

  it('are sent again together, by a job with a rate, a progress and an end', async () => {
    const events = await crashed(12)
    const chosen = ['--subscriber', 'notify', '--type', 'deployment.failed', '--reason', 'crashed']
    const { out } = await loadpath('dead', 'redrive', ...chosen, '--dry-run')
    expect(out).toContain('12 deliveries would be sent.')
    expect(await outside.times(events.map(keyOf))).toEqual(events.map(() => 0))

    const command = loadpath('dead', 'redrive', ...chosen, '--rate', '4', '--wait')
    // four a second: the last four go two seconds after the first
    expect(await outside.once(events.map(keyOf))).toBeGreaterThan(1000)
    expect(await command).toMatchObject({ code: 0, err: expect.stringMatching(/redrive \S+ running: /) })
    const { items } = await said('jobs', 'list', '--kind', 'redrive')
    const [job] = items
    expect(job).toMatchObject({
      subscriber: 'notify',
      state: 'done',
      rate: 4,
      counts: { matched: 12, sent: 12, done: 12 },
    })
    const told = await eventually(async () => {
      const { body } = await stage.call('GET', `/v1/events?type=event.redriven&key=job/${job.id}`)
      expect(body.items).toHaveLength(1)
      return (await stage.call('GET', `/v1/events/${body.items[0].id}`)).body.event
    })
    expect(told).toMatchObject({ actor: job.by, data: { job: job.id, counts: { sent: 12 } } })
    const again = await said('dead', 'redrive', ...chosen, '--wait')
    expect(again).toMatchObject({ count: 0, complete: true })
    expect((await said('jobs', 'list', '--kind', 'redrive')).items).toHaveLength(items.length)
    await outside.once(events.map(keyOf))
  })
})
