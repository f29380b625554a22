import { describe, expect, it } from 'vitest'
import type { ShownDelivery, TraceNode, Why } from './answers.ts'
import { whyText } from './fate-view.ts'
import { localTime, paint, safe, span, table } from './output.ts'
import { traceText } from './trace-view.ts'

process.env.TZ = 'Europe/Berlin'

const plain = paint(false)
const at = (milliseconds: number) =>
  new Date(Date.parse('2026-01-10T12:30:00.000Z') + milliseconds).toISOString()

const event = (type: string, id: string, received: number) => ({
  source: `https://example.org/${type}`,
  id,
  type,
  received: at(received),
  partitionkey: id,
  correlationid: 'push-1',
})

const delivery = (subscriber: string, changed: number, rest: Partial<ShownDelivery> = {}) => ({
  subscriber,
  replay: '',
  state: 'done',
  expected: true,
  attempts: 1,
  started: at(changed - 10),
  changed: at(changed),
  ...rest,
})

const node = (
  shown: TraceNode['event'],
  deliveries: Partial<TraceNode['deliveries'][number]>[] = [],
  caused: TraceNode[] = [],
): TraceNode => ({
  event: shown,
  deliveries: deliveries.map((each) => ({ ...delivery('nobody', 0), emitted: [], unseen: [], ...each })),
  caused,
})

const run = { workflow: 'test-and-validate', run: 'b1946ac9', attempt: 1, status: 'succeeded' }

const story = {
  story: 'push-1',
  events: 4,
  roots: [
    node(
      event('github.push', 'push-1', 0),
      [
        {
          ...delivery('analyze-push', 120),
          emitted: [node(event('repository.analyzed', 'analyzed-1', 150), [delivery('publish', 190)])],
        },
        {
          ...delivery('notify', 2000, { state: 'dead', attempts: 8, reason: 'the topic\nis gone' }),
          unseen: ['lost-1'],
        },
        {
          ...delivery('test-and-validate', 130, { run: { ...run, started: at(200), ended: at(61_200) } }),
          emitted: [
            node(event('quality-gate.evaluated', 'gate-1', 900), [
              delivery('publish', 0, {
                state: 'waiting',
                attempts: 0,
                changed: undefined,
                started: undefined,
              }),
            ]),
          ],
        },
      ],
      [node(event('test.completed', 'claimed-1', 3_600_000))],
    ),
  ],
}

describe('a trace', () => {
  it('is a tree with times', () => {
    expect(traceText(story, plain)).toMatchInlineSnapshot(`
      "story push-1
      4 events, 5 deliveries, 1 run, 1 h 0 min from 2026-01-10 13:30:00

      github.push  push-1  13:30:00.000  +0.000 s
      ├─ -> analyze-push done  +0.120 s
      │  └─ repository.analyzed  analyzed-1  13:30:00.150  +0.150 s
      │     └─ -> publish done  +0.190 s
      ├─ -> notify dead  +2.0 s  8 attempts  the topic is gone
      │  └─ lost-1 (not in this answer)
      ├─ -> test-and-validate done  +0.130 s
      │  ├─ run b1946ac9 succeeded  +0.200 s  took 1 min 1 s
      │  └─ quality-gate.evaluated  gate-1  13:30:00.900  +0.900 s
      │     └─ -> publish waiting
      └─ test.completed  claimed-1  14:30:00.000  +1 h 0 min"
    `)
  })

  it('says that it goes on, and has no times where it is empty', () => {
    expect(traceText({ story: 's', events: 0, roots: [], next: 'c' }, plain)).toBe(
      'story s\n0 events, 0 deliveries\n\nThe story is longer: --all',
    )
  })
})

const fate = (rest: Partial<Why>): Why => ({
  event: { ...event('github.push', 'push-1', 0), door: 'http', actor: 'service:github' },
  expects: [],
  deliveries: [],
  truncated: false,
  ...rest,
})

describe('why', () => {
  it('tells the whole fate', () => {
    const told = whyText(
      fate({
        deliveries: [
          {
            ...delivery('analyze-push', 120, { attempts: 3, notes: ['emitted otherwise before'] }),
            emitted: [
              {
                source: '/loadpath/analyze-push',
                id: 'analyzed-1',
                type: 'repository.analyzed',
                recorded: true,
              },
              { source: '/loadpath/analyze-push', id: 'analyzed-2', recorded: false },
            ],
          },
          {
            ...delivery('notify', 2000, { state: 'dead', attempts: 8, reason: 'the topic is gone' }),
            emitted: [],
          },
          {
            ...delivery('test-and-validate', 130, {
              run: { ...run, attempt: 2, status: 'failed', error: 'X' },
            }),
            emitted: [],
          },
        ],
      }),
      plain,
    )
    expect(told).toMatchInlineSnapshot(`
      "github.push  push-1
        from https://example.org/github.push
        came by HTTP, 2026-01-10 13:30:00, sent by service:github

      1 delivery is dead: loadpath dead show push-1

      analyze-push done at 13:30:00.120, after 0.120 s, first tried after 0.110 s, 3 attempts
        note emitted otherwise before
        emitted repository.analyzed analyzed-1
        emitted an event analyzed-2 (not recorded yet)

      notify dead at 13:30:02.000, after 2.0 s, first tried after 2.0 s, 8 attempts
        because the topic is gone

      test-and-validate done at 13:30:00.130, after 0.130 s
        run b1946ac9 failed (attempt 2) X"
    `)
  })

  const someone = { digest: 'd', by: 'user:ann', at: at(60_000) }
  it.each([
    [
      'as it came',
      { door: 'bus', actor: 'service:aws/1', released: someone },
      '  came from the inbox bus, 2026-01-10 13:30:00, sent by service:aws/1',
      '  released from quarantine by user:ann at 2026-01-10 13:31:00: loadpath quarantine show d',
    ],
    [
      'that somebody changed',
      { door: 'http', actor: 'service:github', released: { ...someone, edited: true } },
      '  came by HTTP, 2026-01-10 13:30:00, sent by service:github',
      '  released from quarantine by user:ann, edited at 2026-01-10 13:31:00: loadpath quarantine show d',
    ],
    [
      'that somebody made of what nobody vouches for',
      { door: 'bus', actor: 'user:ann', released: { ...someone, edited: true } },
      '  came from quarantine, 2026-01-10 13:30:00, sent by user:ann',
      '  released from quarantine by user:ann, edited at 2026-01-10 13:31:00: loadpath quarantine show d',
    ],
    [
      'that somebody released whose own it is',
      { door: 'http', actor: 'user:ann', released: someone },
      '  came by HTTP, 2026-01-10 13:30:00, sent by user:ann',
      '  released from quarantine by user:ann at 2026-01-10 13:31:00: loadpath quarantine show d',
    ],
    [
      'in the place of another',
      { door: 'edit', actor: 'user:ann', cause: { source: 's', id: 'p', by: 'edit' } },
      '  came as an edit, 2026-01-10 13:30:00, sent by user:ann',
      '  made by edit from p',
    ],
    [
      'of a replay',
      { door: 'emit', actor: 'service:a', cause: { source: 's', id: 'p', by: 'a', replay: 'r1' } },
      '  came from a handler or workflow of ours, 2026-01-10 13:30:00, sent by service:a',
      '  made by a (replay r1) from p',
    ],
  ])('tells of an event %s how it came, and through whose hands', (_, given, came, ...more) => {
    const lines = whyText(fate({ event: { ...event('a.b', '1', 0), ...given } }), plain).split('\n')
    expect(lines.slice(2, 4)).toEqual([came, ...more])
  })

  it.each([
    [fate({}), 'No route asks for it: it is recorded, no more.'],
    [fate({ event: { ...event('a.b', '1', 0), unknown: true } }), 'Nobody has declared the type a.b'],
    [
      fate({ event: { ...event('a.b', '2', 0), duplicateof: '1' } }),
      'The same signed body came before, as 1',
    ],
    [fate({ deliveries: [{ ...delivery('a', 1), emitted: [] }] }), 'Every delivery is done.'],
    [
      fate({ deliveries: [{ ...delivery('a', 1, { state: 'dropped' }), emitted: [] }] }),
      '1 delivery was dropped.',
    ],
    [
      fate({
        deliveries: [
          { ...delivery('a', 1), emitted: [] },
          { ...delivery('b', 1, { state: 'dropped', reason: 'nobody needs it' }), emitted: [] },
          { ...delivery('c', 1, { state: 'dropped', reason: 'nobody needs it' }), emitted: [] },
          { ...delivery('d', 1, { state: 'dropped', reason: 'superseded by e2' }), emitted: [] },
        ],
      }),
      '2 deliveries were dropped and 1 was superseded: loadpath why e2; every other is done.',
    ],
    [
      fate({
        deliveries: [
          { ...delivery('a', 1, { run: { ...run, status: 'running' } }), emitted: [] },
          { ...delivery('d', 1, { state: 'dropped', reason: 'superseded by e2' }), emitted: [] },
        ],
      }),
      '1 delivery was superseded: loadpath why e2; every other is done; 1 run goes on.',
    ],
    [
      fate({ deliveries: [{ ...delivery('a', 1, { state: 'parked' }), emitted: [] }] }),
      '1 delivery is not done yet.',
    ],
    [
      fate({ deliveries: [{ ...delivery('a', 1, { run: { ...run, status: 'running' } }), emitted: [] }] }),
      'Every delivery is done; 1 run goes on.',
    ],
    [
      fate({ deliveries: [{ ...delivery('a', 1, { run: { ...run, status: 'failed' } }), emitted: [] }] }),
      '1 run has failed.',
    ],
  ])('says in one sentence whether all is well', (why, sentence) => {
    expect(whyText(why, plain)).toContain(sentence)
  })
})

describe('what a terminal gets', () => {
  it('is free of control characters and turned letters from outside', () => {
    const bell = { reason: 'a\u001b[31mred\u0007', 'k\u202ey': ['line\nnext\ttab', 5, null] }
    expect(safe(bell)).toEqual({ reason: 'a\ufffd[31mred\ufffd', 'k\ufffdy': ['line\nnext\ttab', 5, null] })
  })

  it('has columns that colours do not shift', () => {
    const rows = (on: boolean) => {
      const p = paint(on)
      return table(
        p,
        ['STATE', 'ID'],
        [
          [p.green('done'), '1'],
          [p.red('retrying'), 'two\nlines'],
        ],
      )
    }
    expect(rows(false)).toBe('STATE     ID\ndone      1\nretrying  two lines')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
    expect(rows(true).replace(/\u001b\[\d+m/g, '')).toBe(rows(false))
    expect(rows(true)).toContain('\u001b[32mdone\u001b[39m')
  })

  it('has times of its own zone, and spans in words', () => {
    expect(localTime('2026-01-10T12:30:00.000Z')).toBe('2026-01-10 13:30:00')
    expect([localTime(undefined), localTime('soon')]).toEqual(['-', 'soon'])
    expect([45, 3200, 250_000, 7_380_000, 273_600_000].map(span)).toEqual([
      '0.045 s',
      '3.2 s',
      '4 min 10 s',
      '2 h 3 min',
      '3 d 4 h',
    ])
  })
})
